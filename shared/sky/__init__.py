"""Geometry on the sphere that two services need."""
