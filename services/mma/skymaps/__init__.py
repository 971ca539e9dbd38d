"""Regions of the sky: error circles, ellipses and sky maps, all answering the same questions."""
