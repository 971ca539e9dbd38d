"""Records that cross Kafka, declared once, with units: Arrow inside the mesh, Avro at its mouth."""
