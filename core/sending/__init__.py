"""From a message to a row."""
