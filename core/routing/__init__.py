"""Which queue and which priority a run gets."""
