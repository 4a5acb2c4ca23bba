"""Alarms about visits."""
