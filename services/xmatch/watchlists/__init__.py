"""Users' own catalogs: lists of positions, and regions of the sky as MOCs.

Each belongs to an owner, is private unless said otherwise, and is versioned. All of them are
compiled into one index, so that an alert costs one search however many lists there are. A worker
takes up a new version without a restart.
"""
