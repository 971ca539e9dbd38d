"""What two services need and neither owns: schemas, Kafka, sky, light curves, telemetry."""
