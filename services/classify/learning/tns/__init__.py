"""Classes that were reported to the Transient Name Server, as labels."""
