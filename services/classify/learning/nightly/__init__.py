"""The loop that runs every night by itself, and can be killed at any moment."""
