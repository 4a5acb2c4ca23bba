"""Finding what was published."""
