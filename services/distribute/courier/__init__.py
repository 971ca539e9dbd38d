"""The courier: what users subscribed to, out to peers elsewhere, in a process of its own.

In: subscriptions from the database; ``out.<filter>``, ``voevents``, ``associations`` and
``targets`` from Kafka, by a consumer group per subscription. Out: whatever the channels speak.
Every message becomes a record in the database before Kafka hears that it was read; from there
it is delivered, tried again while the peer is away, and settled as confirmed or failed. A slow
peer holds up its own subscription and nothing else. It must never send anything twice to a peer
that cannot undo it.
"""
