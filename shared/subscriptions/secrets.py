"""Secrets of subscriptions: sealed in the database with a key that is not there.

Fernet (AES-128-CBC and HMAC-SHA256, github.com/fernet/spec) with a key from a file that only
its owner may read. Whoever copies the database alone has no secret.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from shared.errors import TocsinError
from shared.settings import ServiceSettings

KEY_FILE = "subscription-secrets.key"
"""In the state folder, unless a setting says otherwise."""


def key_file_of(settings: ServiceSettings) -> Path:
    """Where the key is: the portal and the courier need the same."""
    return settings.secrets_key_file or settings.state_dir / KEY_FILE


class SecretsError(TocsinError):
    """A secret cannot be sealed or opened; the message says why and never what it is."""


class Sealer:
    """Seals and opens secrets with one key.

    Parameters
    ----------
    key
        A Fernet key: 32 bytes, URL-safe base64.
    """

    def __init__(self, key: bytes) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError as error:
            raise SecretsError("the key of secrets is not 32 bytes in URL-safe base64") from error

    @classmethod
    def from_file(cls, path: Path) -> Sealer:
        """With the key of a file, mode 0600, which is made if it is not there.

        Raises
        ------
        SecretsError
            If others may read the file, or it cannot be read or made.
        """
        try:
            if not path.exists():
                _make(path)
        except OSError as error:
            raise SecretsError(f"cannot make the key file {path}: {error.strerror}") from error
        try:
            if path.stat().st_mode & 0o077:
                raise SecretsError(f"others may read the key file {path}: chmod 600 it")
            return cls(path.read_bytes().strip())
        except OSError as error:
            raise SecretsError(f"cannot read the key file {path}: {error.strerror}") from error

    def seal(self, secret: str) -> str:
        """Encrypted and authenticated, as ASCII."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> SecretStr:
        """The secret.

        Raises
        ------
        SecretsError
            If it was sealed with another key, or changed.
        """
        try:
            return SecretStr(self._fernet.decrypt(sealed.encode()).decode())
        except (InvalidToken, ValueError):
            raise SecretsError("the secret was sealed with another key: set it anew") from None


def _make(path: Path) -> None:
    """Write a new key, whole or not at all; another process may do so at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent) as file:  # mode 0600
        file.write(Fernet.generate_key())
        file.flush()
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)
