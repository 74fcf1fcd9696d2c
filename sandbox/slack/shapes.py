"""The grammar in which the Block Kit rules are written: each shape checks one JSON value and names what is wrong."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problem:
    """A broken rule and the JSON pointer of the value that breaks it."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


class Shape(ABC):
    """The required shape of a value."""

    @abstractmethod
    def check(self, value: Any, pointer: str) -> Iterator[Problem]:
        """The rules that the value breaks."""


@dataclass(frozen=True)
class Str(Shape):
    """A string of at most `maximum` characters, one of `among` if given."""

    maximum: int | None = None
    least: int = 0
    among: tuple[str, ...] = ()

    def check(self, value: Any, pointer: str) -> Iterator[Problem]:
        """The rules that the value breaks."""
        if not isinstance(value, str):
            yield Problem(pointer, "must provide a string")
        elif self.maximum is not None and len(value) > self.maximum:
            yield Problem(pointer, f"must be less than {self.maximum + 1} characters")
        elif len(value) < self.least:
            yield Problem(pointer, f"must be more than {self.least - 1} characters")
        elif self.among and value not in self.among:
            yield Problem(pointer, f"must be one of: {', '.join(self.among)}")


@dataclass(frozen=True)
class Num(Shape):
    """An integer between bounds."""

    least: int | None = None
    maximum: int | None = None

    def check(self, value: Any, pointer: str) -> Iterator[Problem]:
        """The rules that the value breaks."""
        if isinstance(value, bool) or not isinstance(value, int):
            yield Problem(pointer, "must provide an integer")
        elif self.least is not None and value < self.least:
            yield Problem(pointer, f"must be greater than {self.least - 1}")
        elif self.maximum is not None and value > self.maximum:
            yield Problem(pointer, f"must be less than {self.maximum + 1}")


@dataclass(frozen=True)
class Flag(Shape):
    """True or false."""

    def check(self, value: Any, pointer: str) -> Iterator[Problem]:
        """The rules that the value breaks."""
        if not isinstance(value, bool):
            yield Problem(pointer, "must provide a boolean")


@dataclass(frozen=True)
class Anything(Shape):
    """A value that Slack doesn't check."""

    def check(self, value: Any, pointer: str) -> Iterator[Problem]:  # noqa: ARG002 - every shape is asked alike
        """No rules."""
        yield from ()


@dataclass(frozen=True)
class ListOf(Shape):
    """An array of `least` to `maximum` values of one shape."""

    shape: Shape
    least: int = 0
    maximum: int | None = None

    def check(self, value: Any, pointer: str) -> Iterator[Problem]:
        """The rules that the value breaks."""
        if not isinstance(value, list):
            yield Problem(pointer, "must provide an array")
            return
        if self.maximum is not None and len(value) > self.maximum:
            yield Problem(pointer, f"no more than {self.maximum} items allowed")
        if len(value) < self.least:
            yield Problem(pointer, f"no fewer than {self.least} items allowed")
        for index, item in enumerate(value):
            yield from self.shape.check(item, f"{pointer}/{index}")


@dataclass(frozen=True)
class Text(Shape):
    """A text object; plain_text only unless `mrkdwn`."""

    maximum: int
    mrkdwn: bool = False
    least: int = 1

    def check(self, value: Any, pointer: str) -> Iterator[Problem]:
        """The rules that the value breaks."""
        if not isinstance(value, dict):
            yield Problem(pointer, "must provide an object")
            return
        types = ("plain_text", "mrkdwn") if self.mrkdwn else ("plain_text",)
        kind = value.get("type")
        if kind not in types:
            yield Problem(f"{pointer}/type", f"must be one of: {', '.join(types)}")
        if "text" not in value:
            yield Problem(pointer, "missing required field: text")
        else:
            yield from Str(self.maximum, self.least).check(value["text"], f"{pointer}/text")
        for name in value.keys() - {"type", "text", "verbatim" if kind == "mrkdwn" else "emoji"}:
            yield Problem(pointer, f"invalid additional property: {name}")


Rule = Callable[[Mapping[str, Any], str], Iterator[Problem]]


@dataclass(frozen=True)
class Obj(Shape):
    """An object: its fields, which of them are required, and rules on several fields."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    extras: bool = False
    """Whether other fields are accepted."""

    def check(self, value: Any, pointer: str) -> Iterator[Problem]:
        """The rules that the value breaks."""
        if not isinstance(value, dict):
            yield Problem(pointer, "must provide an object")
            return
        for name in self.required:
            if value.get(name) is None:
                yield Problem(pointer, f"missing required field: {name}")
        for name, item in value.items():
            if name in self.fields:
                if item is not None:
                    yield from self.fields[name].check(item, f"{pointer}/{name}")
            elif not self.extras:
                yield Problem(pointer, f"invalid additional property: {name}")
        for rule in self.rules:
            yield from rule(value, pointer)


@dataclass(frozen=True)
class OneOf(Shape):
    """An object whose `type` selects one of these shapes. They are looked up late, so that shapes can nest."""

    kinds: Callable[[], Mapping[str, Shape]]
    default: str | None = None
    among: tuple[str, ...] = field(default=())
    """Which kinds are allowed here; empty means all."""

    def check(self, value: Any, pointer: str) -> Iterator[Problem]:
        """The rules that the value breaks."""
        if not isinstance(value, dict):
            yield Problem(pointer, "must provide an object")
            return
        kind, kinds = value.get("type", self.default), self.kinds()
        if kind is None:
            yield Problem(pointer, "missing required field: type")
        elif not isinstance(kind, str) or kind not in kinds or (self.among and kind not in self.among):
            yield Problem(f"{pointer}/type", f"unsupported type: {kind}")
        else:
            yield from kinds[kind].check(value, pointer)
