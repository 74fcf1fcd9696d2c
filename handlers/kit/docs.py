"""The generated pages about commands and permissions."""

from collections.abc import Iterable

from handlers.kit.command import Command
from services.policy.access import PERMISSIONS, ROLES

SLASH = "/registry"
_WRITTEN = "<!-- Rendered from the declarations by `make docs`. -->"


def commands_page(commands: Iterable[Command]) -> str:
    """docs/commands.md."""
    parts = ["# Commands", _WRITTEN, "All commands. `help` shows each person those that they may run."]
    return "\n\n".join([*parts, *map(_manual, commands)]) + "\n"


def _manual(command: Command) -> str:
    needs = f"Needs `{command.needs}`." if command.needs else "Every member may run this."
    changes = " Works only in channels that the bot is in." if command.changes else ""
    parts = [f"## {command.name}", f"`{SLASH} {command.usage}`", command.summary, command.description]
    if command.parameters:
        usages = ((parameter.usage.replace("|", r"\|"), parameter.help) for parameter in command.parameters)
        parts.append("\n".join(["| | |", "|---|---|", *(f"| `{usage}` | {meaning} |" for usage, meaning in usages)]))
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
        "The access file grants roles to people and user groups, optionally limited to certain sites or channels.",
        "Everything that is not granted is refused, and a denial overrides every grant.",
        "",
        f"| permission | {' | '.join(roles)} | commands |",
        f"|---|{'---|' * len(roles)}---|",
    ]
    for permission in sorted(PERMISSIONS):
        marks = " | ".join("yes" if permission in ROLES[role] else "" for role in roles)
        names = ", ".join(f"`{command.name}`" for command in declared if command.needs == permission)
        lines.append(f"| `{permission}` | {marks} | {names} |")
    everyone = ", ".join(f"`{command.name}`" for command in declared if command.needs is None)
    return "\n".join([*lines, "", f"Every member of the workspace may run {everyone}.", ""])
