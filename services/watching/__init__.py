"""Watching connected registries: polls, health, incidents, summaries."""
