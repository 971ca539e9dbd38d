"""``python -m shared.kafka.make_topics``: makes the topics that are missing, then ends.

For deployments without an operator that does it; `tocsin up` does it by itself.
"""

from __future__ import annotations

import asyncio
import sys

from shared.errors import UpstreamUnavailableError
from shared.kafka.admin import ensure_topics, mesh_topics, survey_topics
from shared.settings import ServiceSettings


def main() -> int:
    """Make them; exit status 1 if Kafka does not answer."""
    settings = ServiceSettings()
    try:
        made = asyncio.run(
            ensure_topics(settings, [*mesh_topics(settings), *survey_topics(settings)])
        )
    except UpstreamUnavailableError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"made {name}\n" for name in made))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
