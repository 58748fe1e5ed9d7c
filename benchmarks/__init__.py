"""Measurements of the product as it is served: speed as ratios, behaviour under load and faults.

Only tests import it.
"""
