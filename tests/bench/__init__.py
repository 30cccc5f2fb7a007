"""Benchmarks: `make bench` prints our figures against floors and peers, as ratios in one run."""
