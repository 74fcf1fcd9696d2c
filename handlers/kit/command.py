"""A command is one declared async function; its usage, help, parsing, permission and docs come from the declaration.

    @command("show", needs="registry:read", examples=("show edge01 --site berlin",))
    async def show(request: Request, name: str, *, site: Site, services: Services) -> Message: ...

`Request`, `Services` and `Commands` are injected, everything else is parsed: parameters before `*` are positional, the
others are options. A `Site` is typed by name. People read the docstring and its arguments section in Slack.
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
"""The longest usage, in characters, that is shown in full within a sentence."""

Arguments = Mapping[str, Any]
"""The values that were typed, by parameter; a site is a `Site`."""
Form = Callable[[Request, Arguments, Services], Awaitable[Modal]]
SiteOf = Callable[[Arguments, Services], Awaitable[Site | None]]
"""Finds a command's site when its arguments name something else, such as an operation."""
Suggest = Callable[[Request, str, Services], Awaitable[Sequence[str]]]
"""Up to a hundred names to choose from, the best first, for the text that was typed so far."""


@dataclass(frozen=True)
class Parameter:
    """A parameter that people fill in."""

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
        """Whether people may repeat it."""
        return any(get_origin(member) is tuple for member in _members(self.annotation))

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values, if they are a fixed set."""
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
        """The usage with optional options shortened to `…`, for lists."""
        needed = [parameter.usage for parameter in self.parameters if parameter.required or parameter.positional]
        return " ".join([self.name, *needed, *(["[…]"] if len(needed) < len(self.parameters) else [])])

    @property
    def reminder(self) -> str:
        """The usage for a sentence: in full if it is short."""
        return self.usage if len(self.usage) <= _SENTENCE else self.brief

    @property
    def site_parameter(self) -> str | None:
        """The parameter whose site the permission is checked for."""
        return next((parameter.name for parameter in self.parameters if parameter.is_site), None)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter with this name, as in Python or as an option."""
        name = name.lstrip("-").replace("-", "_")
        return next((parameter for parameter in self.parameters if parameter.name == name), None)


class Commands(Protocol):
    """All commands, for commands about commands."""

    def __iter__(self) -> Iterator[Command]:
        """In the order of their declaration."""

    def get(self, name: str) -> Command | None:
        """The command with this name."""

    def under(self, noun: str) -> tuple[Command, ...]:
        """Commands whose first word is `noun`."""

    def near(self, words: Sequence[str]) -> tuple[str, ...]:
        """Names of commands that somebody may have meant."""


INJECTED = (Request, Services, Commands)
"""Types of the parameters that the door fills in."""


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
        needs: The permission (`services.policy.access`), or None if every member may run it.
        examples: Lines without the slash word.
        changes: Whether it changes anything; such commands work only in channels that the bot is in.
        modal: Opens when a required parameter is missing, prefilled with what was typed.
        suggest: Suggestions for fields of a modal, by parameter; sites need none.
        site_of: Finds the site if no parameter names it; the permission has to hold there.
        group: Title in help; by default it follows from the noun, or from the permission.
    """
    noun, _, verb = name.partition(" ")
    usual_group = f"{noun.capitalize()}s" if verb else "Connected registries" if needs else "The bot"

    def declare(run: Callable[..., Awaitable[Message | Modal | None]]) -> Command:
        text = docstring_parser.parse(inspect.cleandoc(run.__doc__ or ""))
        helps = {parameter.arg_name: parameter.description or "" for parameter in text.params}
        hints = get_type_hints(run, include_extras=True)
        signature = inspect.signature(run)
        # One line for each paragraph, to be wrapped by the reader's window rather than at the source's margin.
        paragraphs = [" ".join(paragraph.split()) for paragraph in (text.long_description or "").split("\n\n")]
        return Command(
            name=name,
            run=run,
            needs=needs,
            examples=tuple(examples),
            changes=changes,
            modal=modal,
            suggest=dict(suggest or {}),
            site_of=site_of,
            group=group or usual_group,
            summary=text.short_description or "",
            description="\n\n".join(paragraphs),
            parameters=tuple(
                _parameter(declared, hints[declared.name], helps.get(declared.name, ""))
                for declared in signature.parameters.values()
                if hints[declared.name] not in INJECTED
            ),
            injected={key: hint for key, hint in hints.items() if hint in INJECTED},
        )

    return declare


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
