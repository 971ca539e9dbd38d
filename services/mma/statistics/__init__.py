"""How much a coincidence is worth: factors kept apart, chance counts, false alarm rates."""
