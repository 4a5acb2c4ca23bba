"""tests/tracking."""
