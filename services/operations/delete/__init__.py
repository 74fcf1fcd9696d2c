"""Deletion of a connected registry alone, that no installation runs: itself, and its sync token and scope map too."""
