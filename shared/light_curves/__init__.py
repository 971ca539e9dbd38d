"""Ragged light curves and the photometry they are written in."""
