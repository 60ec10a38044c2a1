"""The contract: a promise per test, run on every combination of engine and broker."""
