"""Tables of a user's own, matched with the catalogs: ``tocsin crossmatch FILE``."""
