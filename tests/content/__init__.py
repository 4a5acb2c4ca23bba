"""tests/content."""
