"""What steps that several kinds of operation have hand on to later steps and to people."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RegistryCreated:
    """The connected registry, with the host name of the data endpoint that its connection string names."""

    gateway_endpoint: str
