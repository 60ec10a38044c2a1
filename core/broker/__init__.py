"""One configured alias: a backend and its defaults."""
