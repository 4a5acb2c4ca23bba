"""Tests of the education bases."""
