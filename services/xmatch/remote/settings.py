"""What the remote enricher must be told. It calls nobody unless ``remote_enabled``."""

from __future__ import annotations

from pydantic import Field

from services.xmatch.remote.asking import AskLimits
from services.xmatch.remote.enrich import Patience
from services.xmatch.remote.wanted import Importance
from shared.settings import ServiceSettings


class RemoteSettings(ServiceSettings):
    """Settings of the remote enricher."""

    remote_enabled: bool = Field(False, title="Ask services elsewhere at all")
    remote_tables: str = Field(
        "simbad/simbad,cds_xmatch/gaia_dr3,cds_xmatch/milliquas",
        title="What to ask",
        description="service/table, separated by commas",
    )
    remote_urls: str = Field(
        "",
        title="Where to ask instead",
        description="service=URL pairs, separated by commas: a mirror, or a test",
    )
    remote_brighter_than_mag: float = Field(
        18.5, ge=-30, le=40, title="Alerts brighter than this matter, AB magnitude"
    )
    remote_least_probability: float = Field(
        0.5, ge=0, le=1, title="Alerts that a classifier takes for transients so surely matter"
    )
    remote_filters: bool = Field(True, title="Alerts that some filter wants matter")
    remote_requests_per_s: float = Field(0.5, gt=0, le=5, title="Requests a second to one service")
    remote_burst: int = Field(2, ge=1, le=20, title="Requests to one service at once, at first")
    remote_budget_s: float = Field(
        60.0, ge=0.5, le=600, title="Longest time for one request, all tries together, seconds"
    )
    remote_try_s: float = Field(30.0, ge=0.2, le=300, title="Longest time for one try, seconds")
    remote_tries: int = Field(4, ge=1, le=10, title="Tries of one request")
    remote_answer_mib: float = Field(16.0, gt=0, le=256, title="Largest answer, MiB")
    remote_most_positions: int = Field(500, ge=1, le=5000, title="Positions in one request")
    remote_failures: int = Field(
        5, ge=1, le=100, title="Failed tries in a row after which a service is left alone"
    )
    remote_pause_s: float = Field(
        30.0, gt=0, title="For so long at first, seconds, doubling up to an hour"
    )
    remote_poll_s: float = Field(
        5.0, gt=0, le=600, title="How often open questions are looked for, seconds"
    )
    remote_keep_days: float = Field(7.0, gt=0, le=365, title="An answer is good for, days")
    remote_most_answers: int = Field(500_000, ge=1, title="Answers that are kept")
    remote_most_questions: int = Field(100_000, ge=1, title="Questions that may be open")

    def urls(self) -> dict[str, str]:
        """``remote_urls`` by service.

        Raises
        ------
        ValueError
            If an entry is not ``service=http...``.
        """
        urls = {}
        for entry in filter(None, (part.strip() for part in self.remote_urls.split(","))):
            service, _, url = entry.partition("=")
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"TOCSIN_REMOTE_URLS: {entry!r} is not service=http...")
            urls[service] = url
        return urls

    def importance(self) -> Importance:
        """When an alert matters."""
        return Importance(self.remote_brighter_than_mag, self.remote_least_probability)

    def ask_limits(self) -> AskLimits:
        """What one request may cost."""
        return AskLimits(
            budget_s=self.remote_budget_s,
            try_s=self.remote_try_s,
            tries=self.remote_tries,
            answer_bytes=int(self.remote_answer_mib * 1024**2),
        )

    def patience(self) -> Patience:
        """When a question is asked again."""
        return Patience(pause_s=2.0 * self.remote_pause_s)
