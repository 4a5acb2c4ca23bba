"""Tests of the check before review."""
