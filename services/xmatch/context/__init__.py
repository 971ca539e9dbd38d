"""What is at the place of an alert: a star, a nucleus, a galaxy, nothing; after Sherlock.

``natures.py`` reads the catalogs' own words, ``survey_sources.py`` what the survey knows of its
reference image, ``rules.py`` is the table of verdicts and ``judge.py`` applies it to a batch.
"""
