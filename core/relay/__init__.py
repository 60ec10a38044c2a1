"""From rows to the broker."""
