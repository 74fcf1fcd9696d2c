"""The list of connected registries: worst first, children below their parents, in pages, no row lost."""

from dataclasses import replace
from typing import Any

from handlers.kit.message import Message
from handlers.views import connected
from services.policy.placement import Placement
from tests.golden.values import EXTENSION, NOW, REGISTRY, SITE

AT_SITE = Placement(extensions=((SITE, EXTENSION),))


def row(name: str, **values: Any) -> connected.Row:
    return connected.row(SITE.acr_ref, replace(REGISTRY, name=name, **values), AT_SITE, NOW)


def listing(*rows: connected.Row, page: int = 1) -> Message:
    return connected.listing(connected.Fleet(rows), connected.Selection(rows, page, "list"), NOW)


def names(message: Message) -> list[str]:
    [table] = [block for block in message.blocks if block["type"] == "table"]
    return [cells[0]["text"] for cells in table["rows"][1:]]


def test_the_worst_come_first_with_their_families() -> None:
    message = listing(
        row("alone"),
        row("parent"),
        row("grandchild", parent="child", connection_state="Offline", last_sync=None, last_activity=None),
        row("child", parent="parent"),
        row("orphan", parent="elsewhere"),
    )

    assert names(message) == ["parent", "└ child", "└ └ grandchild", "alone", "orphan"]
    assert message.text == "5 connected registries: 1 offline, 4 healthy"


def test_every_row_of_a_large_fleet_is_on_one_of_its_pages() -> None:
    rows = [row(f"registry{number:03}") for number in range(200)]
    pages = [names(listing(*rows, page=number)) for number in range(1, 9)]

    assert [name for page in pages for name in page] == [each.registry.name for each in rows]


def test_parents_in_a_circle_are_listed_all_the_same() -> None:
    assert sorted(names(listing(row("one", parent="two"), row("two", parent="one")))) == ["one", "two"]
