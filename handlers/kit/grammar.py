"""Parses the words after a command's name into the arguments that the command declares."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from handlers.kit.command import Command, Parameter
from handlers.kit.nearest import nearest
from services.model.errors import Invalid, NotFound

_OPTION = re.compile(r"--?[a-zA-Z][\w-]*(=.*)?", re.DOTALL)
"""An option. Anything else that begins with a dash is a value, such as `-5`."""
_TRUTHS: Mapping[str, bool] = {"true": True, "yes": True, "false": False, "no": False}
_UNITS = {
    "S": timedelta(seconds=1),
    "M": timedelta(minutes=1),
    "MIN": timedelta(minutes=1),
    "H": timedelta(hours=1),
    "D": timedelta(days=1),
    "W": timedelta(weeks=1),
}
_CENTURY = timedelta(days=36_525)
_LARGEST = 2**31 - 1
"""Of any number: what an integer column of a database takes."""


def read(command: Command, words: Sequence[str]) -> dict[str, Any]:
    """The arguments that were typed, by parameter. A site is still a name.

    Options may be in upper or lower case and before or after positional arguments, `--name value` or `--name=value`;
    after `--` everything is positional. Raises `NotFound` for an unknown option, or `Invalid`.
    """
    typed: dict[str, list[str]] = {}
    loose: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            loose += words[at:]
            break
        if not _OPTION.fullmatch(word):
            loose.append(word)
            continue
        name, equals, value = word.partition("=")
        parameter = command.parameter(name.lower()) if name.startswith("--") else None
        if parameter is None:
            raise NotFound("option", name, near_options(name, command), command=command.name)
        if parameter.is_flag:
            value = value if equals else "true"
        elif not equals:
            if at == len(words) or words[at] == "--" or _OPTION.fullmatch(words[at]):
                raise Invalid(parameter.name, parameter.option, "no_value", {"usage": command.reminder})
            value = words[at]
            at += 1
        if parameter.name in typed and not parameter.is_repeated:
            raise Invalid(parameter.name, parameter.option, "repeated")
        typed.setdefault(parameter.name, []).append(value)
    _place(command, loose, typed)
    parameters = {parameter.name: parameter for parameter in command.parameters}
    return {name: _value(parameters[name], values) for name, values in typed.items()}


def _place(command: Command, loose: list[str], typed: dict[str, list[str]]) -> None:
    """Assign words without an option to the positional parameters that have no value yet, in their order."""
    for parameter in command.parameters:
        if not loose:
            return
        if parameter.positional and parameter.name not in typed:
            number = len(loose) if parameter.is_repeated else 1
            typed[parameter.name] = loose[:number]
            loose = loose[number:]
    if loose:
        raise Invalid("words", " ".join(loose), "extra", {"usage": command.reminder, "words": tuple(loose)})


def near_options(typed: str, command: Command) -> tuple[str, ...]:
    """Options that an unknown one may stand for, the likeliest first.

    A whole word of an option counts for more than similar letters: `--ip` means `--service-ip`, not `--site`.
    """
    options = [parameter.option for parameter in command.parameters if not parameter.positional]
    word = typed.strip("-").lower().replace("_", "-")
    inside = [option for option in options if word in option.strip("-").split("-")]
    similar = nearest(f"--{word}", options, cutoff=0.75)
    return tuple(dict.fromkeys([*inside, *similar]))[:3]


def _value(parameter: Parameter, typed: Sequence[str]) -> Any:
    if parameter.is_repeated:
        return tuple(typed)
    value = typed[0]
    if parameter.is_flag:
        if value.lower() not in _TRUTHS:
            raise Invalid(parameter.name, value, "choice", {"choices": ("true", "false")})
        return _TRUTHS[value.lower()]
    if parameter.choices:
        choices = {choice.lower(): choice for choice in parameter.choices}
        if value.lower() not in choices:
            near = nearest(value, parameter.choices)
            raise Invalid(parameter.name, value, "choice", {"choices": parameter.choices, "near": near})
        return choices[value.lower()]
    members = {parameter.annotation, *get_args(parameter.annotation)}
    converters: Mapping[type, Callable[[str], Any]] = {int: _number, timedelta: span}
    for kind, convert in converters.items():
        if kind in members:
            try:
                return convert(value)
            except (ValueError, OverflowError):
                raise Invalid(parameter.name, value, "type", {"type": kind.__name__}) from None
    return value


def _number(text: str) -> int:
    number = int(text)
    if abs(number) > _LARGEST:
        raise OverflowError(text)
    return number


def span(text: str) -> timedelta:
    """`3h`, `2d12h`, `2 h 5 min` as the bot itself writes it, or ISO 8601 as in the files (`PT3H`).

    Raises ValueError, or OverflowError beyond a century: added to a moment, it might leave the calendar.
    """
    upper = re.sub(r"\s", "", text.upper())
    if upper.startswith("P"):
        try:
            length = TypeAdapter(timedelta).validate_python(upper)
        except ValidationError:
            raise ValueError(text) from None
    else:
        parts = re.findall(r"(\d{1,9})(MIN|[SMHDW])", upper)
        if not parts or "".join(map("".join, parts)) != upper:
            raise ValueError(text)
        length = sum((int(number) * _UNITS[unit] for number, unit in parts), timedelta())
    if abs(length) > _CENTURY:
        raise OverflowError(text)
    return length
