"""A real Kafka on a free port, a real database, batches of made-up alerts."""
