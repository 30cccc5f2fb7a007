"""Servers that tests, benchmarks and curious people start on this machine; nothing leaves it."""
