"""tests/house."""
