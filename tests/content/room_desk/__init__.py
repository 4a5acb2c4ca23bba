"""The desk of rooms."""
