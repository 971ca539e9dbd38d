"""distribute: the mesh's mouth. Correlated alerts and associations in; what users asked for out.

In: ``alerts.correlated`` and ``associations``. Out: one Avro message per alert on ``out.<filter>``
for every filter that wants it, and a VOEvent 2.0 on ``voevents`` for every association. It must
never send the same alert twice to a subscription, nor let one user's filter harm another's.
"""
