"""Learning on public data: fixed splits, seeds 0 to 4, beside what is known."""
