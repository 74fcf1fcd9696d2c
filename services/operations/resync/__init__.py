"""A full sync of a connected registry on demand."""
