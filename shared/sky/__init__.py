"""Geometry on the sphere that two services need: HEALPix cells, separations, cones."""
