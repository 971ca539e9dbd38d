"""A real Kafka and a MongoDB-protocol database on one machine, on loopback, without root.

For development, tests and the demo: `tocsin up` and the fixtures of ``shared.testing`` start the
servers through these classes. A cluster has its own servers and never imports this package.
"""
