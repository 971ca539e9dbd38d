"""The one place that knows how Tocsin talks to Kafka."""
