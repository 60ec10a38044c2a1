"""Peers side by side, in one run, on one broker: compare within a run, never across."""
