"""tests/scheduler."""
