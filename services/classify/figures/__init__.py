"""Plots, as PNG: light curves with verdicts, and how good a model is."""
