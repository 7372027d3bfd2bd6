"""Measurements: each prints both sides of its ratio from one run. `make bench` runs them all."""
