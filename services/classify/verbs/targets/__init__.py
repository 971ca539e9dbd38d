"""``tocsin targets ...``: the ranked lists of a night."""
