"""``tocsin archive ...``: one module for each verb."""
