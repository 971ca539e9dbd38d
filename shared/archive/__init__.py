"""Reading what the archive keeps: histories, packets, cutouts. ``services/archive`` writes it."""
