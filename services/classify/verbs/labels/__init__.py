"""``tocsin labels ...``: labels in, and what they come to."""
