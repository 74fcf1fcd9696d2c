"""Templates filled in with facts: values are in code font in prose, and quoted for the shell in command lines."""

import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta

from handlers.kit.language import phrase, t
from handlers.kit.text import code, count, date, listed
from services.operations.command_line import iso

UNKNOWN = phrase("(unknown)")


class _Filled(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return t(UNKNOWN)


def sentence(template: str, facts: Mapping[str, object]) -> str:
    """Mrkdwn, in which `{name}` stands for a fact. A missing fact reads `(unknown)`."""
    return t(template).format_map(_Filled({key: shown(value) for key, value in facts.items()}))


def shell(template: str, facts: Mapping[str, object]) -> str:
    """A command line in plain text, in which every fact is one shell word. Empty when a fact is missing."""
    words = {key: shlex.quote(text) for key, value in facts.items() if (text := _plain(value))}
    try:
        return template.format_map(words)
    except KeyError:
        return ""


def command_line(template: str, facts: Mapping[str, object]) -> str:
    """A command of the bot in plain text, as its plan takes it for this very connected registry; empty as in `shell`.

    An installation decides on everything again, so its line repeats the options that were `requested`, by name. Below
    another one (`parent`) a new connection string has to name the `protocol` by which that is served. Where nobody has
    said it, the line opens the form that asks for it.
    """
    line = shell(template, facts)
    installs = line.startswith(("extension deploy ", "extension reinstall ")) and not line.endswith("--choose")
    if not installs:
        return line
    requested = facts.get("requested")
    options = dict(requested) if isinstance(requested, Mapping) else {}
    if facts.get("parent"):
        options.setdefault("--parent-protocol", facts.get("protocol"))
        if not options["--parent-protocol"]:
            return shell("extension reinstall {name} --site {site} --choose", facts)
    added = (shlex.join((option, str(value))) for option, value in options.items() if option not in line.split())
    return " ".join((line, *added))


def shown(value: object) -> str:  # noqa: PLR0911 - one per type
    """A fact in prose."""
    match value:
        case None | "":
            return t(UNKNOWN)
        case () | []:
            return t("none")
        case datetime():
            return date(value)
        case bool() | int() | float():
            return str(value)
        case tuple() | list():
            return listed(shown(item) for item in value)
        case Mapping():
            changes = []
            for key, item in value.items():
                match item:
                    case (before, after):
                        changes.append(
                            f"{key} {code(_plain(before)) or t('none')} → {code(_plain(after)) or t('none')}"
                        )
                    case _:
                        changes.append(f"{key} {shown(item)}")
            return t(", ").join(changes)
    return code(_plain(value))


def short(target: str) -> str:
    """The kind and name in an ARM id, such as `scopeMaps/edge01`; other targets as they are."""
    return "/".join(target.split("/")[-2:]) if target.startswith("/subscriptions/") else target


def registries(number: int) -> str:
    """Such as `2 connected registries`."""
    return count(number, "connected registry", "connected registries")


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case timedelta():
            return iso(value)
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return ",".join(_plain(item) for item in value)
    return str(value)
