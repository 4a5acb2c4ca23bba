"""Tests of content.poster: what is drawn, kept, stamped and labelled."""
