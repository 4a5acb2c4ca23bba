"""Measurements as ratios in one run: `python -m bench.NAME` prints a table and a last line `RESULT {json}`."""
