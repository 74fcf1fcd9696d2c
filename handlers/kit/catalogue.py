"""All commands, and from words to one of them with its arguments."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, get_args

import cyclopts
from pydantic import TypeAdapter

from handlers.kit.command import Command, Parameter
from handlers.kit.nearest import nearest
from handlers.kit.words import quote
from services.model.errors import Invalid, NotFound
from services.policy.sites import Site

_FEW = 10
"""Names that an answer lists."""
_OPTION = re.compile(r"--?[a-zA-Z][\w-]*(=.*)?", re.DOTALL)


@dataclass(frozen=True)
class Parsed:
    """What was typed for a command, and which required parameters were not."""

    command: Command
    given: Mapping[str, Any]
    missing: tuple[Parameter, ...]

    @property
    def site(self) -> Site | None:
        """The site that the command is about, if it names one."""
        name = self.command.site_parameter
        return self.given.get(name) if name else None


class Catalogue:
    """The commands, looked up by their words. Sites are given to `parse`, for they change when their file does."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands = {command.name: command for command in commands}
        self._grammars = {command.name: _Grammar(command) for command in self._commands.values()}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    @cached_property
    def nouns(self) -> frozenset[str]:
        """First words of commands that have two."""
        return frozenset(name.split()[0] for name in self._commands if " " in name)

    def find(self, words: Sequence[str]) -> tuple[Command, tuple[str, ...]]:
        """The command that the words begin with, and the words after it. Raises `NotFound`."""
        lower = [word.lower() for word in words]
        for length in (2, 1):
            if found := self._commands.get(" ".join(lower[:length])):
                return found, tuple(words[length:])
        near = self.near(lower)
        raise NotFound("command", " ".join(words[: self._meant(lower, near)]), near)

    def _meant(self, words: Sequence[str], near: Sequence[str]) -> int:
        """How many words were meant for a command's name: two when they are like both of the nearest, turned or not."""
        if words and words[0] in self.nouns:
            return 2
        turned = {" ".join(sorted(name.split())) for name in near[:1] if " " in name}
        return 2 if nearest(" ".join(sorted(words[:2])), turned, cutoff=0.75) else 1

    def get(self, name: str) -> Command | None:
        """By name."""
        return self._commands.get(name)

    def under(self, noun: str) -> tuple[Command, ...]:
        """Commands whose first word is `noun`."""
        return tuple(command for name, command in self._commands.items() if name.split()[0] == noun)

    def near(self, words: Sequence[str]) -> tuple[str, ...]:
        """Names of commands that somebody may have meant."""
        if words and words[0] in self.nouns:
            inside = [command.name for command in self.under(words[0])]
            return nearest(" ".join(words[:2]), inside) or tuple(inside)
        # `shwo operation`: somebody put the verb first, or mistyped either word.
        one = nearest(words[0], [name for name in self._commands if " " not in name]) if words else ()
        two = [name for name in self._commands if " " in name]
        spoken = " ".join(words[:2])
        turned = " ".join(reversed(words[:2]))
        found = (*nearest(spoken, two, cutoff=0.75), *one, *nearest(turned, two, cutoff=0.85))[:3]
        return found or self._with_verb(words[0] if words else "")

    def _with_verb(self, typed: str) -> tuple[str, ...]:
        """Somebody left the noun out, as in `approve op-1`."""
        verbs = nearest(typed, {name.split()[1] for name in self._commands if " " in name}, cutoff=0.75)[:1]
        return tuple(name for name in self._commands for verb in verbs if name.endswith(f" {verb}"))

    def parse(self, command: Command, words: Sequence[str], sites: Mapping[str, Site]) -> Parsed:
        """Arguments of a command. Raises `NotFound` (an option, a site) or `Invalid`."""
        given = self._grammars[command.name].read(words)
        for parameter in command.parameters:
            if parameter.is_site and (typed := given.get(parameter.name)) is not None:
                given[parameter.name] = _site(typed, sites)
        missing = tuple(each for each in command.parameters if each.required and each.name not in given)
        return Parsed(command, given, missing)


def _site(typed: Any, sites: Mapping[str, Site]) -> Any:
    if isinstance(typed, tuple):
        return tuple(_site(each, sites) for each in typed)
    if found := sites.get(typed.lower()):
        return found
    raise NotFound("site", typed, nearest(typed, sites), tuple(sites) if len(sites) <= _FEW else ())


class _Grammar:
    """What a command takes, in cyclopts; every parameter optional, so that a half-typed command can fill in a form."""

    def __init__(self, command: Command) -> None:
        self._command = command
        parameters = [_optional(parameter) for parameter in command.parameters]

        def taken(*_: Any, **__: Any) -> None: ...

        taken.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect's own protocol
        taken.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        self._app = cyclopts.App(name=command.name, help_flags=(), version_flags=())
        self._app.default(taken)

    def read(self, words: Sequence[str]) -> dict[str, Any]:
        try:
            _, bound, _ = self._app.parse_args(self._joined(words), print_error=False, exit_on_error=False)
        except cyclopts.CycloptsError as error:
            raise self._translated(error, words) from None
        return {name: value for name, value in bound.arguments.items() if value is not None}

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Behind an option, what begins with a dash and does not look like an option is its value."""
        valued = {each.option for each in self._command.parameters if not each.positional and not each.is_flag}
        joined: list[str] = []
        for word in words:
            if joined and joined[-1] in valued and word.startswith("-") and not _OPTION.fullmatch(word):
                joined[-1] = f"{joined[-1]}={word}"
            else:
                joined.append(word)
        return joined

    def _translated(self, error: cyclopts.CycloptsError, words: Sequence[str]) -> NotFound | Invalid:
        usage = {"usage": self._command.reminder}
        name = error.argument.name.lstrip("-").lower().replace("_", "-") if error.argument else ""
        match error:
            case cyclopts.UnknownOptionError():
                typed = error.token.keyword or error.token.value
                options = [each.option for each in self._command.parameters if not each.positional]
                return NotFound("option", typed.partition("=")[0], nearest(typed, options))
            case cyclopts.UnusedCliTokensError():
                extra = list(error.unused_tokens or ())
                return Invalid("words", " ".join(extra), "extra", usage | {"meant": self._option_of(extra, words)})
            case cyclopts.RepeatArgumentError():
                typed = error.token.keyword or ""
                return Invalid(typed.lstrip("-"), typed, "repeated")
            case cyclopts.MissingArgumentError():
                return Invalid(name, error.keyword or "", "no_value", usage)
            case cyclopts.CoercionError():
                return self._unfit(name, error.token.value if error.token else "")
        return Invalid("words", str(error), "unreadable", usage)

    def _option_of(self, extra: Sequence[str], words: Sequence[str]) -> str:
        """Where the words that are too many belong, if that can be told: behind `--site`, or to the option before."""
        said = list(words)
        at = next((at for at in range(2, len(said)) if said[at : at + len(extra)] == list(extra)), 0)
        found = self._command.parameter(said[at - 2]) if at and said[at - 2].startswith("--") else None
        if found is None or found.is_flag:
            sites = [each.option for each in self._command.parameters if each.is_site and not each.positional]
            return " ".join([*sites, quote(extra[0])]) if sites and not {*sites} & {*said} and len(extra) == 1 else ""
        if found.is_site or found.choices:  # names without blanks
            return ""
        several = [said[at - 1], *extra]
        return " ".join(
            f"{found.option} {quote(each)}" for each in (several if found.is_repeated else [" ".join(several)])
        )

    def _unfit(self, name: str, value: str) -> Invalid:
        parameter = self._command.parameter(name)
        if parameter and parameter.choices:
            near = nearest(value, parameter.choices)
            return Invalid(parameter.name, value, "choice", {"choices": parameter.choices, "near": near})
        return Invalid(name, value, "type", {"type": parameter.type_name if parameter else ""})


def _span(_type: Any, tokens: Sequence[cyclopts.Token]) -> timedelta:
    """`3h`, `2d12h`, or ISO 8601 as in the files (`PT3H`). Raises ValueError."""
    text = tokens[0].value.upper()
    if text.startswith("P"):
        return TypeAdapter(timedelta).validate_python(text)
    parts = re.findall(r"(\d+)([SMHDW])", text)
    if not parts or "".join(map("".join, parts)) != text:
        raise ValueError(text)
    return sum((int(number) * _UNITS[unit] for number, unit in parts), timedelta())


_UNITS = {
    "S": timedelta(seconds=1),
    "M": timedelta(minutes=1),
    "H": timedelta(hours=1),
    "D": timedelta(days=1),
    "W": timedelta(weeks=1),
}


def _optional(parameter: Parameter) -> inspect.Parameter:
    annotation: Any = parameter.annotation
    if parameter.is_site:
        annotation = tuple[str, ...] if parameter.is_repeated else str
    if timedelta in get_args(annotation) or annotation is timedelta:
        annotation = Annotated[timedelta, cyclopts.Parameter(converter=_span)]
    flag = Annotated[bool | None, cyclopts.Parameter(negative=())]
    annotation = flag if parameter.is_flag else annotation | None
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if parameter.positional else inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(parameter.name, kind, annotation=annotation, default=None)
