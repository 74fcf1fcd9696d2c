"""YAML files that people write: read with line numbers, and checked against a model with every problem at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from yaml.constructor import SafeConstructor

from bot.problems import Problem, did_you_mean, sentence

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]
"""Keys and indices that lead to a value."""
LARGEST = 1024 * 1024
"""Bytes of a file."""
MOST_NODES = 100_000
"""Values in a file with its aliases expanded: a few bytes of nested aliases could otherwise fill the memory."""


@dataclass(frozen=True)
class File:
    """A mapping, with the line of each place in it."""

    path: Path
    value: dict[str, Any]
    lines: Mapping[Place, int]

    def problem(self, at: Place, text: str) -> Problem:
        """A problem at a place in the file, or at the nearest one above that has a line."""
        while at and at not in self.lines:
            at = at[:-1]
        return Problem(f"{self.path}:{self.lines.get(at, 1)}", text)

    def validated(self, model: type[Model], at: Place, value: Any, problems: list[Problem]) -> Model | None:
        """A place's value as a model; None when it has problems."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            # pydantic also calls a list too short when its only entry is wrong.
            inner = {detail["loc"][:-1] for detail in errors}
            problems += [
                self.problem((*at, *detail["loc"]), _sentence(model, detail))
                for detail in errors
                if detail["type"] != "too_short" or detail["loc"] not in inner
            ]
            return None

    def unknown(self, at: Place, names: Iterable[str], valid: Iterable[str], noun: str) -> Iterator[Problem]:
        """The names of a list that are not valid."""
        valid = set(valid)
        for index, name in enumerate(names):
            if name not in valid:
                yield self.problem((*at, index), f"there is no {noun} `{name}`{did_you_mean(name, valid)}")


def read(path: Path, problems: list[Problem]) -> File | None:
    """The file, or None with a problem more; also with one for each key that appears twice."""
    content = content_of(path)
    if isinstance(content, str):
        problems.append(Problem(str(path), f"can't be read: {content}"))
        return None
    try:
        node = yaml.compose(content.decode(), yaml.SafeLoader)
        if node is not None and _size(node, {}) > MOST_NODES:
            raise ValueError("its aliases (*name) make it too large")  # noqa: TRY301 - reported as PyYAML's errors are
        value = SafeConstructor().construct_document(node) if node is not None else None
    except Exception as error:  # noqa: BLE001 - PyYAML raises whatever its conversions do, even AttributeError
        problems.append(_unreadable(path, content, error))
        return None
    if node is None:
        # Most likely half written. Without any grants, everybody would be locked out.
        problems.append(Problem(f"{path}:1", "the file is empty"))
        return None
    if not isinstance(value, dict):
        problems.append(Problem(f"{path}:1", "the file has to be a mapping"))
        return None
    lines: dict[Place, int] = {}
    for at, line, twice in _walk(node, ()):
        if twice:
            problems.append(Problem(f"{path}:{line}", f"the key `{at[-1]}` appears twice"))
        lines[at] = line
    return File(path, value, lines)


def _unreadable(path: Path, content: bytes, error: Exception) -> Problem:
    match error:
        case yaml.MarkedYAMLError():
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            # `* * * * *` without quotes is the beginning of an alias.
            hint = "; a value that begins with `*` needs quotes" if "an alias" in str(error.context) else ""
            return Problem(f"{path}:{line}", f"this is not YAML: {error.problem}{hint}")
        case yaml.reader.ReaderError():
            line = content.decode()[: error.position].count("\n") + 1
            return Problem(f"{path}:{line}", "contains a character that YAML does not allow")
        case UnicodeDecodeError():
            return Problem(str(path), "can't be read: it is not UTF-8")
        case RecursionError():
            return Problem(str(path), "its values are nested too deeply")
    reason = str(error).splitlines()[0] or type(error).__name__
    return Problem(str(path), f"contains a value that can't be read: {reason}")


def _size(node: yaml.Node, sizes: dict[yaml.Node, int]) -> int:
    """The number of nodes with every alias expanded. Raises `RecursionError` for an alias that contains itself."""
    if node in sizes:
        if not sizes[node]:
            raise RecursionError
        return sizes[node]
    sizes[node] = 0
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        inner = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    sizes[node] = 1 + sum(_size(part, sizes) for part in inner)
    return sizes[node]


def _walk(node: yaml.Node | None, at: Place) -> Iterator[tuple[Place, int, bool]]:
    """Each place with its line number, and whether it repeats an earlier key."""
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            yield (*at, key.value), key.start_mark.line + 1, key.value in keys
            keys.add(key.value)
            yield from _walk(value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1, False
            yield from _walk(value, (*at, index))


def content_of(path: Path) -> bytes | str:
    """A file's bytes, or the reason why it can't be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        return error.strerror or type(error).__name__
    return content if len(content) <= LARGEST else f"it is larger than {LARGEST // 1024} KiB"


def _sentence(model: type[BaseModel], error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            for part in error["loc"][:-1]:
                if isinstance(part, str) and part in model.model_fields:
                    model = next(_models(model.model_fields[part].annotation), model)
            return no_key(str(error["loc"][-1]), model.model_fields)
        case "value_error":
            return f"`{place}`: {sentence(error)}" if place else sentence(error)
    return f"`{place}` {sentence(error)}"


def no_key(key: str, keys: Iterable[str]) -> str:
    """The sentence about a key that there is not."""
    return f"there is no key `{key}`{did_you_mean(key, keys)}"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a field's annotation, such as `Site` in `tuple[Site, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
