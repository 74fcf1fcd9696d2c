"""Change of the repositories that a connected registry syncs: its rights, and those of all registries above it."""
