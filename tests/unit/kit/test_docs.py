from handlers.kit import docs
from handlers.views.help import Manual, manual, overview
from services.policy.access import PERMISSIONS
from tests.unit.kit.declared import CATALOGUE, deploy


def test_the_overview_has_a_short_line_for_each_command_under_its_title() -> None:
    message = overview({"Operations": [("/edge operation list", "List operations.")]}, "/edge help deploy")

    assert "*Operations*" in message.text
    assert "`/edge operation list` List operations." in message.text


def test_the_manual_has_parameters_examples_and_permission() -> None:
    parameters = [(each.usage, each.help) for each in deploy.parameters]
    about = Manual("/edge deploy", deploy.summary, "", parameters, ["/edge deploy edge01"], "registry:write")

    shown = str(manual(about).blocks)

    assert "Where it goes." in shown
    assert "/edge deploy edge01" in shown
    assert "registry:write" in shown


def test_the_pages_tell_every_command_and_permission() -> None:
    commands, permissions = docs.commands_page(CATALOGUE), docs.permissions_page(CATALOGUE)

    assert all(f"## {command.name}\n" in commands for command in CATALOGUE)
    assert all(f"| `{permission}` |" in permissions for permission in PERMISSIONS)
