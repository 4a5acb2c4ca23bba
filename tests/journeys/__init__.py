"""tests/journeys."""
