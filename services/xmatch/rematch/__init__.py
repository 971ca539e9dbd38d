"""Matches recent objects again, on the archive: when a catalog or a watchlist has changed.

The same code that matches alerts on the river is run on the latest alert of each object, where
that alert saw it. What differs from what is known becomes a record on ``updates``; nothing is
ever rewritten, and a second run finds nothing to say.
"""
