"""tests/institution."""
