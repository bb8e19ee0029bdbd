"""Judges water leaks: hourly volumes in; the minimum flow of each day, episodes, levels and losses out.

Flows are `Fraction` in litres per hour, compared unrounded; only texts are rounded. Only water is judged:
heat meters and heat cost allocators have no leak alert.
"""
