"""Samples for auditors: draw one from a saved report, and draw it again to see whether it is the one."""
