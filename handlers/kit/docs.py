"""Pages about the commands, rendered from their declarations."""

from collections.abc import Iterable

from handlers.kit.command import Command
from services.policy.access import PERMISSIONS, ROLES

SLASH = "/registry"
_WRITTEN = "<!-- Rendered from the declarations by `make docs`. -->"


def commands_page(commands: Iterable[Command]) -> str:
    """docs/commands.md."""
    parts = ["# Commands", _WRITTEN, "What one can say, and what `help` shows to those who may."]
    return "\n\n".join([*parts, *map(_manual, commands)]) + "\n"


def _manual(command: Command) -> str:
    needs = f"Needs `{command.needs}`." if command.needs else "Every member may say this."
    changes = " Works in channels that the bot is in." if command.changes else ""
    parts = [f"## {command.name}", f"`{SLASH} {command.usage}`", command.summary, command.description]
    if command.parameters:
        rows = [f"| `{each.usage.replace('|', chr(92) + '|')}` | {each.help} |" for each in command.parameters]
        parts.append("\n".join(["| | |", "|---|---|", *rows]))
    examples = "\n".join(f"{SLASH} {example}" for example in command.examples)
    return "\n\n".join(filter(None, [*parts, f"```\n{examples}\n```", needs + changes]))


def permissions_page(commands: Iterable[Command]) -> str:
    """docs/permissions.md."""
    roles = list(ROLES)
    declared = list(commands)
    lines = [
        "# Permissions",
        "",
        _WRITTEN,
        "",
        "Roles are given to people and user groups by the access file, for all sites or some, in all channels or some.",
        "What is not given is refused, and a denial wins over every grant.",
        "",
        f"| permission | {' | '.join(roles)} | commands |",
        f"|---|{'---|' * len(roles)}---|",
    ]
    for permission in sorted(PERMISSIONS):
        marks = " | ".join("yes" if permission in ROLES[role] else "" for role in roles)
        named = ", ".join(f"`{command.name}`" for command in declared if command.needs == permission)
        lines.append(f"| `{permission}` | {marks} | {named} |")
    everyone = ", ".join(f"`{command.name}`" for command in declared if command.needs is None)
    return "\n".join([*lines, "", f"Every member of the workspace may say {everyone}.", ""])
