"""The mouth of the river: one Avro message per alert, in Confluent framing."""
