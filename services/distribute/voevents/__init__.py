"""VOEvent 2.0: an association as the document that robotic telescopes read."""
