"""Secret arguments: encrypted where they are kept, hidden where they are told."""
