"""The halves of the extras that run in the extra's own Python; they import nothing of Tocsin."""
