"""Tests of playing together."""
