"""tests/campaign."""
