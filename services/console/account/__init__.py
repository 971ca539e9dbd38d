"""The account of every alert, kept from the topics alone: what came in, what went out."""
