"""A command is one declared async function; its usage, help, parsing, permission and docs come from the declaration.

    @command("show", needs="registry:read", examples=("show edge01 --site berlin",))
    async def show(request: Request, name: str, *, site: Site, services: Services) -> Message: ...

`Request`, `Services` and `Commands` are given to it, everything else is parsed: parameters before `*` are positional,
the others options. A `Site` is typed by name. The docstring is what people read in Slack, with its arguments section.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, Protocol, Union, get_args, get_origin, get_type_hints

import docstring_parser

from handlers.kit.message import Message, Modal
from handlers.kit.request import Request
from services.policy.sites import Site
from services.services import Services

_SENTENCE = 100
"""The longest usage, in characters, that is shown whole in a sentence."""

Given = Mapping[str, Any]
"""Values that were typed, by parameter; a site as `Site`."""
Form = Callable[[Request, Given, Services], Awaitable[Modal]]
SiteOf = Callable[[Given, Services], Awaitable[Site | None]]
"""The site that a command is about, where its arguments name something else, such as an operation."""
Suggest = Callable[[Request, str, Services], Awaitable[Sequence[str]]]
"""Up to a hundred names that may be chosen, the best first, given what was typed so far."""


@dataclass(frozen=True)
class Parameter:
    """One thing that a command takes from people."""

    name: str
    annotation: Any
    help: str
    required: bool
    positional: bool
    default: Any = None

    @property
    def option(self) -> str:
        """As people type it, such as `--dry-run`."""
        return "--" + self.name.replace("_", "-")

    @property
    def is_site(self) -> bool:
        """Whether it is a site's name."""
        return Site in _members(self.annotation)

    @property
    def is_flag(self) -> bool:
        """Whether it takes no value."""
        return bool in _members(self.annotation)

    @property
    def is_repeated(self) -> bool:
        """Whether it may be given several times."""
        return any(get_origin(member) is tuple for member in _members(self.annotation))

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that it may have, if they are few and fixed."""
        members = (get_args(member) for member in _members(self.annotation) if get_origin(member) is Literal)
        return tuple(str(choice) for choices in members for choice in choices)

    @property
    def usage(self) -> str:
        """Such as `NAME`, `--site SITE` or `[--repository REPOSITORY]…`."""
        value = "|".join(self.choices) or self.name.upper().replace("_", "-")
        text = value if self.positional else self.option if self.is_flag else f"{self.option} {value}"
        text = text if self.required else f"[{text}]"
        return f"{text}…" if self.is_repeated else text


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType):
        return tuple(member for member in get_args(annotation) if member is not type(None))
    return (annotation,)


@dataclass(frozen=True)
class Command:
    """A declared command."""

    name: str
    run: Callable[..., Awaitable[Message | Modal | None]]
    needs: str | None
    examples: tuple[str, ...]
    changes: bool
    modal: Form | None
    suggest: Mapping[str, Suggest]
    site_of: SiteOf | None
    group: str
    """Title under which help lists it."""
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    injected: Mapping[str, type]

    @property
    def usage(self) -> str:
        """Such as `deploy NAME --site SITE [--dry-run]`."""
        return " ".join([self.name, *(parameter.usage for parameter in self.parameters)])

    @property
    def brief(self) -> str:
        """The usage with the options that may be left out as `…`, for lists."""
        needed = [parameter.usage for parameter in self.parameters if parameter.required or parameter.positional]
        return " ".join([self.name, *needed, *(["[…]"] if len(needed) < len(self.parameters) else [])])

    @property
    def reminder(self) -> str:
        """The usage for a sentence: whole where it is short."""
        return self.usage if len(self.usage) <= _SENTENCE else self.brief

    @property
    def site_parameter(self) -> str | None:
        """The parameter whose site decides about the permission."""
        return next((parameter.name for parameter in self.parameters if parameter.is_site), None)

    def parameter(self, name: str) -> Parameter | None:
        """By name, as written in Python or as an option."""
        name = name.lstrip("-").replace("-", "_")
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


class Commands(Protocol):
    """All commands, for those that speak about commands."""

    def __iter__(self) -> Iterator[Command]:
        """In the order of their declaration."""

    def get(self, name: str) -> Command | None:
        """By name."""

    def under(self, noun: str) -> tuple[Command, ...]:
        """Commands whose first word is `noun`."""

    def near(self, words: Sequence[str]) -> tuple[str, ...]:
        """Names of commands that somebody may have meant."""


INJECTED = (Request, Services, Commands)
"""What a command's function may declare by type, and gets from the door."""


def command(
    name: str,
    *,
    needs: str | None,
    examples: Sequence[str],
    changes: bool = False,
    modal: Form | None = None,
    suggest: Mapping[str, Suggest] | None = None,
    site_of: SiteOf | None = None,
    group: str = "",
) -> Callable[[Callable[..., Awaitable[Message | Modal | None]]], Command]:
    """Declare a command.

    Args:
        name: Its words, such as `operation show`.
        needs: The permission (`services.policy.access`), or None for what every member may do.
        examples: Lines without the slash word.
        changes: Whether it changes the world outside; such commands work only in channels that the bot is in.
        modal: Opens when a required parameter is missing, prefilled with what was typed.
        suggest: Names to choose from in a modal, by parameter; sites need none.
        site_of: Finds the site where no parameter names it; the permission has to hold there.
        group: Title in help; without it by the noun, or by the permission.
    """

    def declare(run: Callable[..., Awaitable[Message | Modal | None]]) -> Command:
        text = docstring_parser.parse(inspect.cleandoc(run.__doc__ or ""))
        helps = {parameter.arg_name: parameter.description or "" for parameter in text.params}
        hints = get_type_hints(run, include_extras=True)
        signature = inspect.signature(run)
        return Command(
            name=name,
            run=run,
            needs=needs,
            examples=tuple(examples),
            changes=changes,
            modal=modal,
            suggest=dict(suggest or {}),
            site_of=site_of,
            group=group or _group(name, needs),
            summary=text.short_description or "",
            description=_unwrapped(text.long_description or ""),
            parameters=tuple(
                _parameter(declared, hints[declared.name], helps.get(declared.name, ""))
                for declared in signature.parameters.values()
                if hints[declared.name] not in INJECTED
            ),
            injected={key: hint for key, hint in hints.items() if hint in INJECTED},
        )

    return declare


def _group(name: str, needs: str | None) -> str:
    noun, _, verb = name.partition(" ")
    if verb:
        return f"{noun.capitalize()}s"
    return "Connected registries" if needs else "The bot"


def _unwrapped(text: str) -> str:
    """Paragraphs in one line each: the reader's window breaks them, not the source's margin."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _parameter(declared: inspect.Parameter, annotation: Any, description: str) -> Parameter:
    required = declared.default is declared.empty
    return Parameter(
        name=declared.name,
        annotation=annotation,
        help=description.replace("\n", " "),
        required=required,
        positional=declared.kind is not declared.KEYWORD_ONLY,
        default=None if required else declared.default,
    )
