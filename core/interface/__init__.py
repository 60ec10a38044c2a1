"""What user code touches."""
