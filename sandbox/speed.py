"""How long operations take in the sandbox."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Speed:
    """Durations in seconds on the sandbox's clock."""

    name: str
    arm_operation: float
    """An asynchronous ARM operation: a token, a registry, a password."""
    extension: float
    """Helm's share of installing or removing an extension, before the cluster's own work."""
    container_start: float
    """From scheduling a Pod to its readiness."""
    agent_period: float
    """How often the edge agent checks its cluster and Azure."""
    sync: float
    """One synchronisation of a connected registry."""
    retry_after: float | None
    """The `Retry-After` of asynchronous operations; None omits the header, as the service often does."""


PEOPLE = Speed("people", arm_operation=1.5, extension=4, container_start=2, agent_period=1, sync=2, retry_after=None)
IMMEDIATE = Speed(
    "immediate", arm_operation=0, extension=0, container_start=0, agent_period=0.05, sync=0, retry_after=None
)
SPEEDS = {speed.name: speed for speed in (PEOPLE, IMMEDIATE)}
