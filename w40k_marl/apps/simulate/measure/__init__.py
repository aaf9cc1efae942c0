"""Measures what a load simulation costs: latency, processor time, memory, disk, network."""
