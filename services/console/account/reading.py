"""Topics read from end to end; see ``shared.kafka.topic_reader``."""

from __future__ import annotations

from shared.kafka.topic_reader import Extent, TopicReader

__all__ = ["Extent", "TopicReader"]
