"""Spans of commands, of operations and of the calls to other systems within them, for whoever collects traces.

A command is a trace. An operation is one too: the ids of its trace, of its runs and of its steps follow from its own
id, so whichever process goes on with it continues the same trace. Calls outside of both are no spans.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from types import TracebackType
from typing import Literal, Self

Attribute = str | int | float | bool
Kind = Literal["internal", "server", "client"]


@dataclass(frozen=True)
class SpanIds:
    """A span's ids, as W3C Trace Context has them: 16 bytes and 8 bytes in lower-case hexadecimal."""

    trace: str
    span: str

    @property
    def traceparent(self) -> str:
        """The header that makes another system's spans children of this one (https://www.w3.org/TR/trace-context/)."""
        return f"00-{self.trace}-{self.span}-01"


@dataclass(frozen=True)
class Span:
    """A part of the work, once it has ended. Times are nanoseconds since 1970."""

    name: str
    ids: SpanIds
    parent: SpanIds | None
    began: int
    ended: int
    kind: Kind = "internal"
    failed: bool = False
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    links: tuple[SpanIds, ...] = ()
    """Roots of other traces that it is about."""


class OpenSpan:
    """A part of the work while it lasts, as a context: spans and calls inside become its children."""

    def __init__(
        self,
        name: str,
        ids: SpanIds,
        parent: SpanIds | None,
        collect: Callable[[Span], None],
        *,
        kind: Kind = "internal",
        attributes: Mapping[str, Attribute] | None = None,
    ) -> None:
        self.name, self.ids = name, ids
        self.attributes = dict(attributes or {})
        self._parent = parent
        self._kind: Kind = kind
        self._collect = collect
        self._links: dict[SpanIds, None] = {}

    def __enter__(self) -> Self:
        self._began = time.time_ns()
        self._token: Token[OpenSpan | None] = _current.set(self)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        _current.reset(self._token)
        if error is not None:
            self.attributes["error.type"] = type(error).__name__
        self._collect(
            Span(
                self.name,
                self.ids,
                self._parent,
                self._began,
                time.time_ns(),
                self._kind,
                error is not None,
                self.attributes,
                tuple(self._links),
            )
        )

    def link(self, ids: SpanIds) -> None:
        """It is also about another trace."""
        if ids.trace != self.ids.trace:
            self._links[ids] = None


_current: ContextVar[OpenSpan | None] = ContextVar("span", default=None)


class _NoSpan:
    """In the place of a span where nobody collects them."""

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        return


_NO_SPAN = _NoSpan()


class Traces:
    """Hands spans to `collect` as they end; without it nothing is made and nothing is remembered."""

    def __init__(self, collect: Callable[[Span], None] | None = None) -> None:
        self._collect = collect

    @property
    def is_on(self) -> bool:
        """Whether somebody collects spans."""
        return self._collect is not None

    def command(self) -> OpenSpan | _NoSpan:
        """The root of a command's trace; `describe` names it."""
        if self._collect is None:
            return _NO_SPAN
        return OpenSpan("command", _new(token_bytes(16).hex()), None, self._collect, kind="server")

    def describe(self, name: str, attributes: Mapping[str, Attribute]) -> None:
        """Name the span that is open here, and add to its attributes."""
        if (span := _current.get()) is not None:
            span.name = name
            span.attributes |= attributes

    def part(
        self,
        name: str,
        parent: SpanIds | None,
        *,
        ids: SpanIds | None = None,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> OpenSpan | _NoSpan:
        """A span under `parent`; the root of its trace if there is none. `ids` are its own where they are derived."""
        if self._collect is None:
            return _NO_SPAN
        ids = ids or _new(parent.trace if parent else token_bytes(16).hex())
        return OpenSpan(name, ids, parent, self._collect, attributes=attributes)

    def about(self, operation: str) -> OpenSpan | _NoSpan:
        """A context in which calls belong to an operation's trace; it is no span of its own."""
        if self._collect is None:
            return _NO_SPAN
        return OpenSpan("", operation_ids(operation), None, lambda _: None)

    def call(
        self, name: str, *, seconds: float, failed: bool, attributes: Mapping[str, Attribute] | None = None
    ) -> None:
        """A request to another system that has just ended, under the span that is open here; nothing without one."""
        span = _current.get()
        if self._collect is None or span is None:
            return
        ended = time.time_ns()
        ids, began = _new(span.ids.trace), ended - int(seconds * 1e9)
        self._collect(Span(name, ids, span.ids, began, ended, "client", failed, attributes or {}))

    def past(
        self,
        name: str,
        ids: SpanIds,
        parent: SpanIds | None,
        began: datetime | None,
        *,
        failed: bool,
        attributes: Mapping[str, Attribute],
    ) -> None:
        """A part that began at that time, perhaps in another process, and has just ended."""
        if self._collect is None:
            return
        ended = time.time_ns()
        start = min(int(began.timestamp() * 1e9), ended) if began else ended
        self._collect(Span(name, ids, parent, start, ended, "internal", failed, attributes))

    def link(self, operation: str) -> None:
        """The span that is open here is about this operation too."""
        if (span := _current.get()) is not None:
            span.link(operation_ids(operation))

    def id_of(self, operation: str) -> str:
        """The id of an operation's trace; empty where nobody collects it."""
        return operation_ids(operation).trace if self.is_on else ""


OFF = Traces()


def current_ids() -> SpanIds | None:
    """Of the span that is open here."""
    span = _current.get()
    return span.ids if span is not None else None


def operation_ids(operation: str, part: str = "") -> SpanIds:
    """Ids of an operation's trace and of one part of it; of its root by default. The same in every process."""
    trace = hashlib.sha256(f"registry-bot {operation}".encode()).hexdigest()[:32]
    return SpanIds(trace, hashlib.sha256(f"{operation} {part}".encode()).hexdigest()[:16])


def _new(trace: str) -> SpanIds:
    return SpanIds(trace, token_bytes(8).hex())
