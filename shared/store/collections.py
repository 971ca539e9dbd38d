"""Names of the database's collections and their indexes."""

from __future__ import annotations

from enum import StrEnum


class Collection(StrEnum):
    """What the archive keeps in the database."""

    ENVELOPES = "envelopes"
    """One document per envelope of ``alerts.correlated``, the Arrow bytes whole."""
    OBJECTS = "objects"
    """One document per object that matters: associated or labelled."""
    NOTICES = "notices"
    ASSOCIATIONS = "associations"
    EVENTS = "events"
    """One document per event of other messengers: the newest line of the event list."""
    COINCIDENCES = "coincidences"
    LABELS = "labels"
    TARGETS = "targets"
    VOTES = "votes"
    ANOMALY_LISTS = "anomaly_lists"
    """What is most anomalous to each user, by the user's votes; made anew within seconds."""
    UPDATES = "updates"
    ACCOUNTS = "accounts"
    """Who may use the portal: name, role, groups, state."""
    TOKENS = "tokens"
    """SHA-256 of each token, never the token itself."""
    FILTERS = "filters"
    """One document per filter and version."""
    SCHEMAS = "schemas"
    """Every Avro schema that messages were ever written with."""
    SUBSCRIPTIONS = "subscriptions"
    """Who wants which topic sent where, by which channel."""
    DELIVERIES = "deliveries"
    """What became of each message that a subscription wanted; the courier's queue and memory."""
    REMOTE_ANSWERS = "remote_answers"
    """What services elsewhere said about a place, until it is too old; a cache."""
    REMOTE_QUESTIONS = "remote_questions"
    """What they are still to be asked."""


INDEXES: dict[Collection, tuple[tuple[str, ...], ...]] = {
    Collection.ENVELOPES: (
        ("object_ids",),
        ("alert_ids",),
        ("survey", "night"),
        ("survey", "nights"),
        ("timestamp_ms",),
    ),
    Collection.OBJECTS: (("object_id",), ("event_ids",), ("last_mjd_tai",), ("healpix29",)),
    Collection.NOTICES: (("timestamp_ms",), ("key",), ("fields.event_mjd_tai", "key")),
    Collection.ASSOCIATIONS: (("timestamp_ms",), ("key",), ("fields.object_id",)),
    Collection.EVENTS: (
        ("fields.event_mjd_tai",),
        ("fields.messenger", "fields.event_mjd_tai"),
        ("fields.role", "fields.state"),
        ("names",),
    ),
    Collection.COINCIDENCES: (("key",),),
    Collection.LABELS: (("timestamp_ms",), ("key",), ("fields.taken_ms",)),
    Collection.TARGETS: (("timestamp_ms",), ("key",), ("fields.object_id",)),
    Collection.VOTES: (
        ("timestamp_ms",),
        ("key",),
    ),
    Collection.UPDATES: (("fields.object_id",), ("fields.alert_id",)),
    Collection.ACCOUNTS: (("groups",),),
    Collection.TOKENS: (("user",),),
    Collection.FILTERS: (("name",), ("owner",), ("state",)),
    Collection.SCHEMAS: (("subject",), ("id",)),
    Collection.SUBSCRIPTIONS: (("owner",), ("state",)),
    Collection.DELIVERIES: (
        ("subscription_id", "state", "next_try_ms"),
        ("subscription_id", "queued_ms"),
        ("settled_ms",),
    ),
    Collection.REMOTE_ANSWERS: (("expires_ms",),),
    Collection.REMOTE_QUESTIONS: (("service", "due_ms"),),
}
"""Ascending indexes besides ``_id``; an index on an array has an entry for each element.

The two arrays of an envelope cost 20 CPU-microseconds of the server per alert; they are what finds
an object or an alert in a millisecond.
"""
