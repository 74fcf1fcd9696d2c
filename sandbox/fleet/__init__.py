"""A fleet of connected registries over many cloud registries, in which things go wrong by a script."""

from sandbox.fleet.fleet import Fleet, Size

__all__ = ["Fleet", "Size"]
