"""What routes read, with what the caller may not see left out: no HTTP in here."""
