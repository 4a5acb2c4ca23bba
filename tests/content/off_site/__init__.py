"""Tests of how a piece leaves the site."""
