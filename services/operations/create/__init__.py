"""Creation of a connected registry alone: its rights, its sync token and itself in Azure, and nothing in a cluster."""
