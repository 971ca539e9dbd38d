"""Placeholder replaced by the service's own paragraph."""
