from datetime import UTC, datetime

from handlers.help import manual, overview
from handlers.kit import Request, docs
from services.model.people import Person, Place
from services.policy.access import PERMISSIONS
from tests.unit.kit.declared import CATALOGUE, deploy

REQUEST = Request(
    Person("U0ALICE", "alice", "T0"),
    Place("T0", "C0"),
    "help",
    "k",
    "t",
    said_by_click=False,
    now=datetime.now(UTC),
    slash="/edge",
)


def test_the_overview_has_a_short_line_for_each_command_under_the_installed_name() -> None:
    said = overview(REQUEST, list(CATALOGUE))

    assert "/edge deploy NAME --site SITE […]" in said.text
    assert "/edge operation list" in said.text


def test_the_manual_tells_parameters_examples_and_permission() -> None:
    shown = str(manual(REQUEST, deploy).blocks)

    assert "Where it goes." in shown
    assert "/edge deploy edge01 --site berlin" in shown
    assert "registry:write" in shown


def test_the_pages_tell_every_command_and_permission() -> None:
    commands, permissions = docs.commands_page(CATALOGUE), docs.permissions_page(CATALOGUE)

    assert all(f"## {command.name}\n" in commands for command in CATALOGUE)
    assert all(f"| `{permission}` |" in permissions for permission in PERMISSIONS)
