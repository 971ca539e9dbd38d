"""Fixtures for every test: a real Kafka and a real database, started only when asked for."""

pytest_plugins = ("shared.testing.kafka", "shared.testing.database")
