"""Change of a connected registry's own settings: when it syncs, what it keeps, what it logs and reports."""
