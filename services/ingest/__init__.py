"""The door: survey packets in, one survey-neutral alert out.

In come packets from the surveys' own topics, as the surveys send them (ZTF: Avro containers,
LSST: Confluent messages); out go envelopes of alerts to ``alerts``, partitioned by object, and
a dead letter for every packet that is malformed, unknown or a duplicate. It must never decode
or copy a cutout, never guess what a survey does not say, and never let a packet end in neither
place or in both.
"""
