"""Host galaxies: which galaxy an alert may be in, wherever it stands in it.

Galaxies of all catalogs that declare ``has_hosts`` become one table (``galaxies.py``), searched
once per batch with a reach of several light radii, and ranked by the directional light radius.
"""
