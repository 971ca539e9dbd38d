"""The sky cut into a telescope's fields: strips of declination, each cut along right ascension."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FieldGrid:
    """Fields of about ``step_deg`` squared that cover the sphere without overlap."""

    step_deg: float

    @property
    def _strips(self) -> int:
        return int(np.ceil(180.0 / self.step_deg))

    @property
    def _fields_in_strip(self) -> IntArray:
        height = 180.0 / self._strips
        dec = -90.0 + (np.arange(self._strips) + 0.5) * height
        counts: IntArray = np.ceil(360.0 * np.cos(np.radians(dec)) / height).astype(np.int64)
        return counts

    @property
    def _first(self) -> IntArray:
        return np.concatenate([[0], np.cumsum(self._fields_in_strip)])

    def locate(
        self, ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike
    ) -> tuple[IntArray, FloatArray, FloatArray]:
        """Field number and place within the field of ICRS positions in degrees, shape (n,).

        Returns
        -------
        Field numbers from 0, and the fractions in [0, 1) of the field's width and height.
        """
        ra = np.asarray(ra_deg, dtype=np.float64) % 360.0
        row = (np.asarray(dec_deg, dtype=np.float64) + 90.0) / (180.0 / self._strips)
        strip = np.clip(row.astype(np.int64), 0, self._strips - 1)
        column = ra / 360.0 * self._fields_in_strip[strip]
        cell = np.minimum(column.astype(np.int64), self._fields_in_strip[strip] - 1)
        return self._first[strip] + cell, column - cell, row - strip

    def position_in(
        self, field: IntArray, across: FloatArray, up: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """ICRS positions in degrees of places within fields, uniform on the sphere in ``up``."""
        strip = np.searchsorted(self._first, field, side="right") - 1
        ra = (field - self._first[strip] + across) / self._fields_in_strip[strip] * 360.0
        height = np.radians(180.0 / self._strips)
        low, high = -np.pi / 2 + strip * height, -np.pi / 2 + (strip + 1) * height
        sine = np.sin(low) + up * (np.sin(high) - np.sin(low))
        return ra % 360.0, np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))

    def centers(self) -> tuple[FloatArray, FloatArray]:
        """ICRS positions in degrees of all fields' middles."""
        every = np.arange(self._first[-1])
        middle = np.full(len(every), 0.5)
        return self.position_in(every, middle, middle)
