"""A label: what somebody says an object is. JSON on the ``labels`` topic; only ever added to.

A label keeps what was said, in the words and the taxonomy of who said it. Which of our classes
that is, and who is believed if two disagree, is decided when labels are read (``shared.labels``).
"""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LabelSource = Literal["spectrum", "tns", "expert", "crossmatch", "simulation"]
"""How it is known: an observer's spectrum, the Transient Name Server, somebody who looked at the
light curve, a catalog, the truth of a simulated object."""


class Label(BaseModel):
    """One statement about the class of one object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    object_id: str = Field(min_length=1, max_length=200, title="The survey's name of the object")
    survey: str | None = Field(None, max_length=40, title="Survey of the object; null if not told")
    class_name: str = Field(
        min_length=1, max_length=80, title="Class, in the words of who says it, e.g. SN Ia-91T-like"
    )
    taxonomy: str = Field(
        "tocsin", min_length=1, max_length=40, title="Whose words they are: tocsin, tns..."
    )
    taxonomy_version: str = Field("1", max_length=40, title="Version of that taxonomy")
    source: LabelSource = Field(title="How it is known")
    confidence: float = Field(1.0, ge=0, le=1, title="How sure who says it is, 0 to 1")
    author: str = Field(min_length=1, max_length=200, title="Who says it: user, group, catalog")
    said_ms: int = Field(ge=0, title="When it was said, Unix time, milliseconds")
    taken_ms: int = Field(
        ge=0, title="When Tocsin learnt of it, Unix time, milliseconds: what as-of questions go by"
    )
    ra_deg: float | None = Field(
        None, ge=0, lt=360, title="Right ascension, ICRS, degrees; null if not told"
    )
    dec_deg: float | None = Field(
        None, ge=-90, le=90, title="Declination, ICRS, degrees; null if not told"
    )
    redshift: float | None = Field(None, ge=-0.01, le=20, title="Redshift; null if not told")
    reference: str | None = Field(
        None, max_length=500, title="Where it can be read: TNS name, bibcode, URL"
    )
    comment: str | None = Field(None, max_length=2000, title="Anything else")
    withdraws: str | None = Field(
        None, max_length=32, title="label_id of a label of the same author that no longer holds"
    )
    is_simulated: bool = Field(False, title="The object was made by a simulator")

    @property
    def label_id(self) -> str:
        """Identity of the statement, whenever it was taken in: what to drop repeats by."""
        said = self.model_dump_json(exclude={"taken_ms"})
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()

    @property
    def key(self) -> bytes:
        """Kafka key: the object, so that its labels stay in order."""
        return self.object_id.encode()

    def to_json(self) -> bytes:
        """The label as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> Label:
        """Read a label back; raises ``pydantic.ValidationError`` if it is not one."""
        return cls.model_validate_json(value)
