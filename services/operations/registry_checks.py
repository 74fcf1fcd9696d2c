"""What every kind asks first that changes a connected registry which is there: whether it is, and is at rest."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum, auto

from services.model.azure import ConnectedRegistry
from services.model.plan import Finding
from services.operations.answers import Answer, known
from services.operations.checks import blocker, ok, required

CHANGING = frozenset({"Creating", "Updating", "Deleting"})
"""Provisioning states in which Azure refuses a change."""


class RegistryCode(StrEnum):
    """Findings of `at_rest`. `handlers.views.procedures.words` has their sentences."""

    CONNECTED_FOUND = auto()
    CONNECTED_ABSENT = auto()
    CONNECTED_BUSY = auto()


@dataclass(frozen=True)
class RegistryObservation:
    """All connected registries of the cloud registry; what else a kind looks at it adds."""

    connected: Answer[tuple[ConnectedRegistry, ...]]

    def registry(self, name: str) -> ConnectedRegistry | None:
        """The one of that name, whatever its case (ARM names have none); None also where Azure could not be asked."""
        registries = known(self.connected, ())
        return next((registry for registry in registries if registry.name.casefold() == name.casefold()), None)


def at_rest(observation: RegistryObservation, name: str) -> Finding:
    """A blocker unless it exists and nothing changes it. An absent one comes with the names that are like its own."""
    names = [registry.name for registry in required(observation.connected)]
    registry = observation.registry(name)
    if registry is None:
        near = tuple(get_close_matches(name, names, n=3))
        return blocker(RegistryCode.CONNECTED_ABSENT, near=near or tuple(sorted(names)[:3]))
    if registry.provisioning_state in CHANGING:
        return blocker(RegistryCode.CONNECTED_BUSY, state=registry.provisioning_state)
    return ok(RegistryCode.CONNECTED_FOUND, mode=registry.mode, state=registry.connection_state)
