"""The life of a filter: made, checked, tried on the archive, activated, paused, retired."""
