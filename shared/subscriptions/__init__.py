"""Subscriptions: what users asked to be sent, where to, and what became of every delivery.

The portal writes subscriptions, the courier of ``services.distribute`` carries them out; both
need the records, the settings that each channel asks for, and the sealing of secrets.
"""
