"""What the shop answers: pages to people, JSON to programs."""
