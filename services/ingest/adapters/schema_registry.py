"""A Confluent Schema Registry, asked once for each schema and remembered on disk."""

from __future__ import annotations

from pathlib import Path

import httpx
import orjson

from services.ingest.framing import SchemaById
from services.ingest.settings import IngestSettings
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.packets.containers import MAX_HEADER_BYTES

TIMEOUT_S = 10.0


def registry_of(settings: IngestSettings) -> SchemaById | None:
    """The registry the settings name, or None."""
    url = settings.ingest_schema_registry_url.rstrip("/")
    if not url:
        return None
    user = settings.ingest_schema_registry_user
    auth = (user, settings.ingest_schema_registry_password.get_secret_value()) if user else None
    folder = settings.state_dir / "schemas" / "".join(c if c.isalnum() else "_" for c in url)
    return lambda schema_id: schema_by_id(url, auth, folder, schema_id)


def schema_by_id(url: str, auth: tuple[str, str] | None, folder: Path, schema_id: int) -> bytes:
    """The schema with this number: from ``folder`` if it is there, else from the registry.

    Raises
    ------
    RejectedRecordError
        ``unknown_schema``, if the registry does not know the number.
    UpstreamUnavailableError
        If the registry cannot be asked, or answers nonsense.
    """
    kept = folder / f"{schema_id}.json"
    if kept.exists():
        return kept.read_bytes()
    where = f"{url}/schemas/ids/{schema_id}"
    try:
        answer = httpx.get(where, auth=auth, timeout=TIMEOUT_S)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise RejectedRecordError("unknown_schema", f"{where} is not found")
        answer.raise_for_status()
        schema = orjson.loads(answer.content)["schema"]
    except (httpx.HTTPError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UpstreamUnavailableError(f"schema registry {where}: {error!r}") from error
    if not isinstance(schema, str) or len(schema) > MAX_HEADER_BYTES:
        raise UpstreamUnavailableError(f"schema registry {where}: no schema of usable size")
    folder.mkdir(parents=True, exist_ok=True)
    new = kept.with_suffix(".new")
    new.write_text(schema, encoding="utf-8")
    new.replace(kept)
    return schema.encode()
