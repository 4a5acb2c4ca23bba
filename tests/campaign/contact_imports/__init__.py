"""Imports of contact files."""
