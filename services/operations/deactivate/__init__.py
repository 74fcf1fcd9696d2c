"""Deactivation of a connected registry: it frees the activation, so that another installation can take it."""
