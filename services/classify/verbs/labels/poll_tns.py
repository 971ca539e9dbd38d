"""``tocsin labels poll-tns``: classes reported to the Transient Name Server, as labels.

Reads TNS's public files of the days and hours since the last time, as the bot whose id, name and
key are in TOCSIN_TNS_BOT_ID, TOCSIN_TNS_BOT_NAME and TOCSIN_TNS_API_KEY (make one at wis-tns.org).
Run it every hour, from cron for instance; what was read is not read again.

  tocsin labels poll-tns
  tocsin labels poll-tns --url https://sandbox.wis-tns.org --dry-run
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from pydantic import Field, SecretStr, ValidationError

from services.classify.learning.tns.client import TnsClient
from services.classify.learning.tns.poll import poll
from services.classify.verbs.labels.importing import send_labels
from services.classify.verbs.learn.choices import parser_of, say
from shared.errors import TocsinError
from shared.schemas.label import Label
from shared.settings import ServiceSettings


class TnsLabelSettings(ServiceSettings):
    """The bot that reads."""

    tns_bot_id: int = Field(title="Number of the bot at TNS")
    tns_bot_name: str = Field(title="Its name there")
    tns_api_key: SecretStr = Field(title="Its key")


async def _poll(settings: TnsLabelSettings, url: str, *, is_dry: bool) -> int:
    client = TnsClient(url, settings.tns_bot_id, settings.tns_bot_name, settings.tns_api_key)

    async def send(labels: Sequence[Label]) -> None:
        await send_labels(settings, labels)

    async def show(labels: Sequence[Label]) -> None:
        sys.stdout.write("".join(f"{one.model_dump_json()}\n" for one in labels))

    name = "tns_files.dry-run.json" if is_dry else "tns_files.json"
    state = settings.state_dir / "learning" / name
    try:
        return await poll(client, state, show if is_dry else send)
    finally:
        await client.close()
        if is_dry:
            state.unlink(missing_ok=True)


def main(argv: list[str] | None = None) -> int:
    """Read what is due."""
    parser = parser_of("poll-tns", __doc__ or "", group="labels")
    parser.add_argument("--url", default="https://www.wis-tns.org", help="which TNS")
    parser.add_argument("--dry-run", action="store_true", help="print the labels, send nothing")
    chosen = parser.parse_args(argv)
    try:
        settings = TnsLabelSettings()
        total = asyncio.run(_poll(settings, chosen.url, is_dry=chosen.dry_run))
    except ValidationError as error:
        names = ", ".join(f"TOCSIN_{str(one['loc'][0]).upper()}" for one in error.errors())
        say(f"not set, or not valid: {names}")
        return 2
    except (TocsinError, OSError, ValueError) as error:
        say(" ".join(str(error).split()))
        return 2
    print(f"{total} labels", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
