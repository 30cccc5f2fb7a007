"""Rotation without a network: a provider that honours keys, in memory, on a clock of its own."""
