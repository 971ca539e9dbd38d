"""Tokens: 256 random bits, given out once and kept as a hash.

A token is long enough that a plain SHA-256 needs no salt and no slowness: there is nothing to
guess. ``tcn_`` and the eight digits after it are no secret; by them a person knows which is which.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

_TOKEN = re.compile(r"tcn_(?P<prefix>[0-9a-f]{8})_[A-Za-z0-9_-]{43}", re.ASCII)
LONGEST_TOKEN = 64


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; the only moment at which its text is known."""

    text: str
    prefix: str
    sha256: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"NewToken({self.prefix})"


def new_token() -> NewToken:
    """Make a token."""
    prefix = secrets.token_hex(4)
    text = f"tcn_{prefix}_{secrets.token_urlsafe(32)}"
    return NewToken(text, prefix, sha256_of(text))


def sha256_of(token: str) -> str:
    """What is kept of a token, hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def has_form(token: str) -> bool:
    """Whether a text could be one of our tokens at all."""
    return len(token) <= LONGEST_TOKEN and _TOKEN.fullmatch(token) is not None
