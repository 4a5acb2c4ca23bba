"""Tests of activity returns."""
