"""The web pages: made here, no scripts but our own, nothing from elsewhere."""
