"""An object drawn on one page: light curve, classifiers' probabilities, cutouts, and words."""

from services.archive.figure.light_curve import Units
from services.archive.figure.page import draw_object

__all__ = ["Units", "draw_object"]
