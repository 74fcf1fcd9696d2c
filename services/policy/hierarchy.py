"""Which connected registries are above and below one another in their cloud registry. Pure.

A parent's name comes from Azure, so nothing here relies on it: a parent may be missing, and parents may go round in a
circle. ARM's names have no case.
"""

from collections.abc import Iterable

from services.model.azure import ConnectedRegistry


def ancestors(registry: ConnectedRegistry, registries: Iterable[ConnectedRegistry]) -> tuple[ConnectedRegistry, ...]:
    """Those that it syncs through, the nearest first. `registries` are all of its cloud registry."""
    by_name = {candidate.name.casefold(): candidate for candidate in registries}
    line: dict[str, ConnectedRegistry] = {registry.name.casefold(): registry}
    parent = registry.parent.casefold()
    while parent in by_name and parent not in line:
        line[parent] = by_name[parent]
        parent = by_name[parent].parent.casefold()
    return tuple(line.values())[1:]


def descendants(registry: ConnectedRegistry, registries: Iterable[ConnectedRegistry]) -> tuple[ConnectedRegistry, ...]:
    """Those that sync through it, in the order of `registries`, which are all of its cloud registry."""
    registries = tuple(registries)
    return tuple(
        candidate
        for candidate in registries
        if candidate.name.casefold() != registry.name.casefold()
        if any(above.name.casefold() == registry.name.casefold() for above in ancestors(candidate, registries))
    )
