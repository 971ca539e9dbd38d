"""Joins alerts with gravitational waves, neutrinos, gamma-ray bursts and other notices.

In: ``alerts.classified``, and ``notices`` (put there by ``tocsin mma send``). Out: the same
alerts with ``associations`` on ``alerts.correlated``, and every change of an association (new,
updated, withdrawn) on ``associations``, before the alert it is about goes on. Must never let a
test, an injection or a simulated alert become the product of an observation, and never depend
on the order in which alerts and notices come.
"""
