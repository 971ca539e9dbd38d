"""Labels: what class objects are said to be, read as of a day, and resolved by a stated rule."""
