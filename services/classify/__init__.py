"""Adds to each alert the features of its light curve and the verdict of each classifier.

In: envelopes of ``alerts.matched``. Out: the same envelopes with ``features``,
``feature_version`` and one struct per classifier, on ``alerts.classified``. A classifier that
cannot judge answers null and says why. Never: a made-up probability, a pickled model, or the
truth columns of a simulation in feature code.
"""
