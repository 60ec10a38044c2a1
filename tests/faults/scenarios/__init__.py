"""One fault, one file: `run(rig)` breaks something and lets the judge speak.

The first line of each file is what the table says of it. `SIZE` is how many orders
and seeds it wants in full, `BROKERS` what it makes sense on, if not on all.
"""
