"""Photometric redshifts: a forest trained here that gives the whole distribution.

``tocsin photoz train`` and ``evaluate``; docs/photo-z.md says how it works and how good it is.
"""
