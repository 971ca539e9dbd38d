"""What the simulator and the replay must be told: only where Kafka is."""

from __future__ import annotations

from pydantic import Field

from shared.settings import ServiceSettings


class SimulateSettings(ServiceSettings):
    """Settings of ``tocsin simulate`` and ``tocsin replay``."""

    send_buffer_mb: int = Field(
        128, ge=1, le=2000, title="Packets waiting for Kafka's acknowledgement, megabytes at most"
    )
    send_timeout_s: float = Field(
        120.0, gt=0, title="A packet not acknowledged for so long is a failure, seconds"
    )

    def topic_of(self, survey: str) -> str:
        """The topic that packets of ``survey`` are sent to.

        Raises
        ------
        ValueError
            If ``survey_topics`` names none, or only a pattern.
        """
        named = [topic for name, topic in self.survey_topic_pairs() if name == survey]
        plain = [topic for topic in named if not topic.startswith("^")]
        if not plain:
            raise ValueError(
                f"TOCSIN_SURVEY_TOPICS gives no plain topic for {survey!r} "
                f"({self.survey_topics!r}); name one with --topic"
            )
        return plain[0]
