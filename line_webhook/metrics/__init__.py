"""Prometheus metrics of the receiver."""
