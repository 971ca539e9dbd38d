"""What came out, as a user would read it: with plain clients, from the topics of the world."""
