"""Workloads that pull from a connected registry: deployed with the proof of what the node has pulled, and deleted."""
