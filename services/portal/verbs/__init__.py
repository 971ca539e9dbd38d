"""The console's verbs that belong to the portal."""
