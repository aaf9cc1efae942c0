"""Measures the cost of a load simulation: latency, processor time, memory, disk, network."""
