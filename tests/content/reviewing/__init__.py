"""Tests of what a reviewer works with."""
