"""The memory: envelopes, notices and associations into the database, packets into segment files.

In: ``alerts.correlated``, ``notices``, ``associations``, ``labels``, ``targets``, and the survey's
own topics in a consumer group of its own. Out: nothing; ``tocsin object`` and ``tocsin packet``
read what is kept. It must never acknowledge what is not durable, never change a packet or an
envelope, and never stand in the river's way: when it is slow or down, only it falls behind.
"""
