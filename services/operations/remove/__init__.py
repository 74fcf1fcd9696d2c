"""Removal of a connected registry from a site: its extension, itself, and everything in Azure that is there for it."""
