"""What the parent process of the workers runs."""
