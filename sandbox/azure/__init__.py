"""A stand-in for Azure: Entra ID, Resource Manager, Container Registry and Arc, over TLS on the loopback interface."""

from sandbox.azure.part import AzurePart

__all__ = ["AzurePart"]
