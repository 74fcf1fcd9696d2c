"""Lines of a POSIX shell that do what a step does, every value quoted.

Secrets are never values: a line fills a variable with them, and other lines name it (`Variable`).
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from services.model.azure import AcrRef
from services.policy.sites import Site


@dataclass(frozen=True)
class Variable:
    """A variable of the shell, in the place of a value that is only known when the line runs."""

    name: str

    def __str__(self) -> str:
        return f'"${self.name}"'


@dataclass(frozen=True)
class FileContent:
    """What a file holds, in the place of a value."""

    path: str

    def __str__(self) -> str:
        return f'"$(cat {shlex.quote(self.path)})"'


def command_line(words: str, *values: object, **options: object) -> str:
    """`words` as they are, `values` after them, then the options in their order.

    `storage_class="fast"` is `--storage-class fast`; `yes=True` is `--yes`; several values of a tuple follow their
    option, and a duration is written in ISO 8601, as the Azure CLI takes it. What is None or empty is left out.
    """
    parts = [words, *map(_word, values)]
    for name, value in options.items():
        if value is None or value in ("", ()):
            continue
        parts.append(f"--{name.replace('_', '-')}")
        if value is not True:
            parts += map(_word, value if isinstance(value, tuple | list) else (value,))
    return " ".join(parts)


def _word(value: object) -> str:
    match value:
        case Variable() | FileContent():
            return str(value)
        case timedelta():
            return iso(value)
    return shlex.quote(str(value))


def iso(span: timedelta) -> str:
    """A duration in ISO 8601, such as `P2D` or `PT3H30M`."""
    hours, below_hours = divmod(span.seconds, 3600)
    minutes, seconds = divmod(below_hours, 60)
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    days = f"{span.days}D" if span.days else ""
    return f"P{days}" + (f"T{time}" if time else "") if days or time else "PT0S"


def repeated(line: str, variable: str, *values: str, seconds: int) -> str:
    """The line every so many seconds until it prints one of the values, or anything where none is given.

    `variable` holds what it printed last. The script ends when the line fails.
    """
    pattern = " | ".join(map(shlex.quote, values)) or "?*"
    return "\n".join(
        (
            f"while {variable}=$({line}) || exit; do",
            f"  case ${variable} in {pattern}) break ;; esac",
            f"  sleep {seconds}",
            "done",
        )
    )


def acr_options(acr: AcrRef) -> dict[str, object]:
    """The options by which the Azure CLI finds what belongs to a cloud registry."""
    return {"registry": acr.name, "resource_group": acr.resource_group, "subscription": acr.subscription}


def kubectl_options(site: Site, namespace: object) -> dict[str, object]:
    """The options by which kubectl finds a namespace of a site's cluster."""
    return {"context": site.cluster.kubernetes.context, "namespace": namespace}


def fetched(variable: Variable, command: str) -> tuple[str, str]:
    """Lines that fill the variable with what the command prints, without the carriage return of a CLI for Windows."""
    return f"{variable.name}=$({command})", f"{variable.name}=$(printf '%s' {variable} | tr -d '\\r')"


def lines(commands: Iterable[str]) -> str:
    """The commands one below the other, without repetitions."""
    return "\n".join(dict.fromkeys(filter(None, commands)))


def scope_options(actions: Iterable[str], prefix: str = "") -> str:
    """Actions as options of `az acr scope-map create`, or of its `update` with the prefix `add_` or `remove_`.

    `repositories/team/app/content/read` is `--repository team/app content/read`.
    """
    verbs: dict[tuple[str, str], list[str]] = {}
    for action in actions:
        target, noun, verb = action.rsplit("/", 2)
        kind, _, name = target.partition("/")
        verbs.setdefault(({"repositories": "repository"}.get(kind, kind), name), []).append(f"{noun}/{verb}")
    return " ".join(
        command_line("", **{f"{prefix}{kind}": (name, *words)}).strip() for (kind, name), words in verbs.items()
    )


def registration_lines(site: Site, namespaces: Iterable[str], *, wait: bool = False) -> str:
    """A line of the Azure CLI for each, which registers it where the site needs it."""
    return lines(
        command_line(
            "az provider register",
            namespace=namespace,
            subscription=site.subscription_of(namespace),
            **({"wait": True} if wait else {}),
        )
        for namespace in namespaces
    )
