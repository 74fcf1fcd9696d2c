"""What the gateway remembers of its latest requests."""

import pytest

from services.gateways.azure.recent import LONGEST_WAIT, UNSEEN, Holds, Writes

REGISTRY = "/subscriptions/s/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr"
TOKEN = f"{REGISTRY}/tokens/edge01"


class Watch:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_a_place_is_held_for_as_long_as_azure_asked() -> None:
    watch = Watch()
    holds = Holds(watch)
    holds.hold("reads", REGISTRY, 60)
    assert holds.remaining("reads", REGISTRY.upper()) == 60
    watch.time += 60
    assert holds.remaining("reads", REGISTRY) == 0


def test_a_hold_is_of_one_kind_of_request() -> None:
    holds = Holds(Watch())
    holds.hold("reads", REGISTRY, 60)
    assert holds.remaining("writes", REGISTRY) == 0


def test_a_shorter_wish_does_not_end_a_longer_one() -> None:
    holds = Holds(Watch())
    holds.hold("reads", REGISTRY, 60)
    holds.hold("reads", REGISTRY, 1)
    assert holds.remaining("reads", REGISTRY) == 60


def test_a_wish_for_a_day_is_kept_for_an_hour() -> None:
    holds = Holds(Watch())
    holds.hold("reads", REGISTRY, 86400)
    assert holds.remaining("reads", REGISTRY) == LONGEST_WAIT


@pytest.mark.parametrize("path", [TOKEN, TOKEN.upper(), f"{TOKEN}/operationStatuses/1", f"{TOKEN}/rotate"])
def test_a_path_names_what_was_written(path: str) -> None:
    writes = Writes(Watch())
    writes.note(TOKEN)
    assert writes.mentions(path, "")


def test_a_body_names_what_was_written() -> None:
    writes = Writes(Watch())
    writes.note(TOKEN)
    assert writes.mentions(f"{REGISTRY}/generateCredentials", f'{{"tokenId": "{TOKEN}"}}')


@pytest.mark.parametrize("path", [f"{TOKEN}0", REGISTRY, f"{REGISTRY}/scopeMaps/edge01"])
def test_neighbours_and_parents_are_something_else(path: str) -> None:
    writes = Writes(Watch())
    writes.note(TOKEN)
    assert not writes.mentions(path, "")


def test_a_child_of_what_was_written_is_unseen_only_while_azure_misses_the_parent() -> None:
    writes = Writes(Watch())
    writes.note(REGISTRY)
    assert not writes.mentions(TOKEN, "")
    assert writes.mentions(TOKEN, "", no_parent=True)


def test_after_a_minute_a_404_is_believed() -> None:
    watch = Watch()
    writes = Writes(watch)
    writes.note(TOKEN)
    watch.time += UNSEEN
    assert not writes.mentions(TOKEN, "")


def test_what_was_deleted_is_forgotten_with_all_below() -> None:
    writes = Writes(Watch())
    writes.note(TOKEN)
    writes.note(REGISTRY)
    writes.forget(REGISTRY)
    assert not writes.mentions(TOKEN, "")
