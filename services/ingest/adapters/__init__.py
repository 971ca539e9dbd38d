"""What ingest asks outside and is not Kafka."""
