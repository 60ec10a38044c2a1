"""The names that user code imports."""
