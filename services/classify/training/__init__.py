"""How the models are made: labelled light curves, alerts cut from them, trees, and their proof.

Nothing here runs in the stream. Truth (class, redshift) lives in ``datasets.base.Truth`` and
never in the light curves that feature code is given.
"""
