"""Cutouts: science, template and difference images of an alert, drawn in bulk.

A Moffat PSF (index 3) for point sources, an exponential disc for the host, a few field stars,
sky noise and the photon noise of what shines. Difference = science - template - sky.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from services.simulate.models.base import DIPOLE, SPIKE, STREAK, FloatArray, IntArray

FloatImage = npt.NDArray[np.float32]

FIELD_STARS = 3
_NOISE_VALUES = 1 << 20
_TEMPLATE_NOISE = 0.3
"""Noise of the reference image (a stack of many) against the science image's."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """What the images of ``n`` alerts show, in pixels and detector units; shape (n,) each."""

    flux: FloatArray
    """Difference flux of the source."""
    star: FloatArray
    """Flux of the star beneath, zero if none."""
    host: FloatArray
    """Flux of the host, zero if none."""
    host_x: FloatArray
    """Its nucleus against the source, pixels; x grows to the east here."""
    host_y: FloatArray
    host_radius: FloatArray
    host_axis_ratio: FloatArray
    host_angle_rad: FloatArray
    fwhm: FloatArray
    pixel_noise: FloatArray
    """One-sigma noise of an empty pixel of the science image."""
    gain: FloatArray
    """Electrons per detector unit."""
    sky: FloatArray
    template_sky: FloatArray
    center_x: FloatArray
    """Sub-pixel place of the source against the central pixel, in [-0.5, 0.5)."""
    center_y: FloatArray
    shape: IntArray
    streak_angle_rad: FloatArray
    field_stars: FloatArray
    """Shape (n, FIELD_STARS, 3): x, y against the source and flux."""
    noise_start: IntArray
    """Where in the pool of noise each alert's begins."""


@cache
def _noise_pool() -> FloatImage:
    rng = np.random.default_rng(632)
    return rng.standard_normal(_NOISE_VALUES, dtype=np.float32)


def draw_noise_starts(rng: np.random.Generator, n: int) -> IntArray:
    """Random places in the pool of noise, shape (n,)."""
    return rng.integers(0, _NOISE_VALUES, n)


def draw_cutouts(scenes: Scenes, size: int) -> FloatImage:
    """The images of each scene.

    Returns
    -------
    Shape (n, 3, size, size), float32: science, template, difference; the source lies in the
    central pixel (``size // 2``), the first image axis is y.
    """
    images = np.empty((len(scenes.flux), 3, size, size), dtype=np.float32)
    columns = np.stack(
        [
            scenes.flux,
            scenes.star,
            scenes.host,
            scenes.host_x,
            scenes.host_y,
            scenes.host_radius,
            scenes.host_axis_ratio,
            scenes.host_angle_rad,
            scenes.fwhm,
            scenes.pixel_noise,
            scenes.gain,
            scenes.sky,
            scenes.template_sky,
            scenes.center_x,
            scenes.center_y,
            scenes.streak_angle_rad,
        ],
        axis=1,
    )
    _draw(columns, scenes.shape, scenes.field_stars, scenes.noise_start, _noise_pool(), images)
    return images


@njit(cache=True, nogil=True)
def _add_moffat(image: Any, x: float, y: float, flux: float, alpha: float) -> None:
    """Add a Moffat profile of index 3, out to eight scale radii."""
    size = image.shape[0]
    reach = 8.0 * alpha
    peak = flux * 2.0 / (np.pi * alpha * alpha)
    first_y, last_y = max(0, int(np.ceil(y - reach))), min(size - 1, int(np.floor(y + reach)))
    first_x, last_x = max(0, int(np.ceil(x - reach))), min(size - 1, int(np.floor(x + reach)))
    inverse = 1.0 / (alpha * alpha)
    for row in range(first_y, last_y + 1):
        from_y = (row - y) * (row - y) * inverse + 1.0
        for column in range(first_x, last_x + 1):
            spread = from_y + (column - x) * (column - x) * inverse
            image[row, column] += peak / (spread * spread * spread)


@njit(cache=True, nogil=True)
def _add_disc(
    image: Any, x: float, y: float, flux: float, radius: float, ratio: float, angle: float
) -> None:
    """Add an exponential disc; ``angle`` from north (y) through east (x)."""
    size = image.shape[0]
    peak = flux / (2.0 * np.pi * radius * radius * ratio)
    sine, cosine = np.sin(angle), np.cos(angle)
    for row in range(size):
        for column in range(size):
            dx, dy = column - x, row - y
            along = (dx * sine + dy * cosine) / radius
            across = (dx * cosine - dy * sine) / (radius * ratio)
            # Half a pixel of smoothing stands for the PSF: no cusp in the middle.
            distance = np.sqrt(along * along + across * across + 0.25 / (radius * radius))
            if distance < 12.0:
                image[row, column] += peak * np.exp(-distance)


@njit(cache=True, nogil=True)
def _add_artefact(
    image: Any, shape: int, x: float, y: float, flux: float, alpha: float, angle: float
) -> None:
    if shape == DIPOLE:
        shift = 0.45 * alpha
        dx, dy = shift * np.sin(angle), shift * np.cos(angle)
        _add_moffat(image, x + dx, y + dy, 2.5 * flux, alpha)
        _add_moffat(image, x - dx, y - dy, -1.7 * flux, alpha)
    elif shape == SPIKE:
        row, column = int(y + 0.5), int(x + 0.5)
        image[row, column] += 0.7 * flux
        image[row, column - 1] += 0.2 * flux
        image[row - 1, column - 1] += 0.1 * flux
    elif shape == STREAK:
        size = image.shape[0]
        sine, cosine = np.sin(angle), np.cos(angle)
        height = flux / (3.0 * alpha)
        for row in range(size):
            for column in range(size):
                off = (column - x) * cosine - (row - y) * sine
                image[row, column] += height * np.exp(-off * off / (0.7 * alpha * alpha))


@njit(cache=True, nogil=True)
def _draw(
    columns: Any, shapes: Any, field_stars: Any, noise_starts: Any, pool: Any, images: Any
) -> None:
    size = images.shape[2]
    still = np.empty((size, size), dtype=np.float32)
    change = np.empty((size, size), dtype=np.float32)
    for i in range(images.shape[0]):
        flux, star, host = columns[i, 0], columns[i, 1], columns[i, 2]
        noise, gain = columns[i, 9], columns[i, 10]
        sky, template_sky = columns[i, 11], columns[i, 12]
        x, y = size // 2 + columns[i, 13], size // 2 + columns[i, 14]
        alpha = columns[i, 8] / 1.0196  # FWHM = 2 alpha sqrt(2^(1/3) - 1)
        still[:] = 0.0
        change[:] = 0.0
        if star > 0.0:
            _add_moffat(still, x, y, star, alpha)
        for k in range(field_stars.shape[1]):
            if field_stars[i, k, 2] > 0.0:
                _add_moffat(
                    still,
                    x + field_stars[i, k, 0],
                    y + field_stars[i, k, 1],
                    field_stars[i, k, 2],
                    alpha,
                )
        if host > 0.0:
            _add_disc(
                still,
                x + columns[i, 3],
                y + columns[i, 4],
                host,
                columns[i, 5],
                columns[i, 6],
                columns[i, 7],
            )
        if shapes[i] == 0:
            _add_moffat(change, x, y, flux, alpha)
        else:
            _add_artefact(change, shapes[i], x, y, flux, alpha, columns[i, 15])
        at = noise_starts[i]
        variance = noise * noise
        for row in range(size):
            for column in range(size):
                light = still[row, column]
                shining = light + change[row, column]
                own = np.sqrt(variance + max(shining, 0.0) / gain)
                deep = _TEMPLATE_NOISE * np.sqrt(variance + light / gain)
                first = pool[at & (_NOISE_VALUES - 1)] * own
                second = pool[(at + 524_309) & (_NOISE_VALUES - 1)] * deep
                at += 1
                images[i, 0, row, column] = sky + shining + first
                images[i, 1, row, column] = template_sky + light + second
                images[i, 2, row, column] = change[row, column] + first - second
