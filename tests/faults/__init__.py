"""Faults: the shop at work while something breaks; real services, real processes.

One scenario, one file in `scenarios`. It places orders through the shop's own code,
breaks something, and has the judge read the append-only tables afterwards.
"""
