"""The parent process of the workers."""
