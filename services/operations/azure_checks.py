"""What several kinds ask before they change something: the bot's own rights in Azure, and the Arc agents."""

from collections.abc import Collection, Mapping
from enum import StrEnum, auto

from services.model.azure import ArcCluster, Lock
from services.model.plan import Finding
from services.operations.answers import Answer
from services.operations.checks import blocker, ok, required


class AzureCode(StrEnum):
    """Findings of this module. `handlers.views.procedures.words` has their sentences."""

    ACTIONS_COMPLETE = auto()
    ACTIONS_MISSING = auto()
    LOCKED = auto()
    AGENTS_CONNECTED = auto()
    AGENTS_AWAY = auto()


def actions(*places: tuple[Answer[tuple[str, ...] | None], str], needed: Collection[str] | None = None) -> Finding:
    """A blocker for the first place where the bot's identity lacks actions, or those of them that are `needed`.

    A place is the answer to which actions are missing there, with its name.
    """
    for answer, place in places:
        missing = tuple(action for action in required(answer) or () if needed is None or action in needed)
        if missing:
            return blocker(AzureCode.ACTIONS_MISSING, missing=missing, place=place)
    return ok(AzureCode.ACTIONS_COMPLETE)


def actions_of_steps(
    kinds: set[str], *places: tuple[Mapping[str, str], Answer[tuple[str, ...] | None], str]
) -> Finding | None:
    """The same for a plan with steps of these kinds; None for a plan without any.

    A place is the actions by the kind of step that uses them, the answer to which are missing there, and its name.
    Nothing is asked about a place where nothing is to be done.
    """
    concerned = [(answer, place) for actions_of, answer, place in places if kinds & actions_of.keys()]
    needed = {action for actions_of, _, _ in places for kind, action in actions_of.items() if kind in kinds}
    return actions(*concerned, needed=needed) if kinds else None


def locks(*places: tuple[Answer[tuple[Lock, ...]], str, bool]) -> Finding | None:
    """A blocker for the first place whose lock forbids what is to be done there.

    A place is the answer to which locks it has, its name, and whether something is deleted there: what is changed only
    stops at a ReadOnly lock alone.
    """
    for answer, place, deletes in places:
        for lock in required(answer):
            if deletes or lock.level == "ReadOnly":
                return blocker(AzureCode.LOCKED, place=place, level=lock.level, scope=lock.scope)
    return None


def agents(arc_cluster: ArcCluster) -> Finding:
    """A blocker unless the cluster's agents reach Azure: what is to change there they carry out."""
    if arc_cluster.connectivity == "Connected":
        return ok(AzureCode.AGENTS_CONNECTED)
    return blocker(AzureCode.AGENTS_AWAY, state=arc_cluster.connectivity, last_heartbeat=arc_cluster.last_heartbeat)
