"""Which objects to take spectra of: strategies, and seasons played to see whether they help."""
