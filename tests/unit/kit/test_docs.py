from handlers.kit import docs
from handlers.views.help import manual, overview
from services.policy.access import PERMISSIONS
from tests.unit.kit.declared import CATALOGUE, deploy


def test_the_overview_has_a_short_line_for_each_command_under_the_installed_name() -> None:
    said = overview(list(CATALOGUE), "/edge")

    assert "/edge deploy NAME --site SITE […]" in said.text
    assert "/edge operation list" in said.text


def test_the_manual_tells_parameters_examples_and_permission() -> None:
    shown = str(manual(deploy, "/edge").blocks)

    assert "Where it goes." in shown
    assert "/edge deploy edge01 --site berlin" in shown
    assert "registry:write" in shown


def test_the_pages_tell_every_command_and_permission() -> None:
    commands, permissions = docs.commands_page(CATALOGUE), docs.permissions_page(CATALOGUE)

    assert all(f"## {command.name}\n" in commands for command in CATALOGUE)
    assert all(f"| `{permission}` |" in permissions for permission in PERMISSIONS)
