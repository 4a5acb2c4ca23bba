"""tests/webapp."""
