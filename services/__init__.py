"""The services of the mesh: one folder each, every one with the same files."""
