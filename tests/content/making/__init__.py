"""Making rooms."""
