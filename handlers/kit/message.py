"""What people see: a message, or a modal whose submission is a command."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from handlers.kit.text import cut
from handlers.kit.words import quote

Block = Mapping[str, Any]

SUGGEST = "suggest"
"""`action_id` of every external select: Slack asks for its options by it."""
SUBMIT = "run"
"""`callback_id` of every modal."""


@dataclass(frozen=True)
class Message:
    """What the bot answers. `text` is what notifications and screen readers get, and all there is without blocks."""

    text: str
    blocks: tuple[Block, ...] = ()
    visibility: Literal["private", "channel"] = "private"
    """`private` is ephemeral: only the person who asked sees it."""
    replace: bool = False
    """Put in the place of the message whose button was clicked."""
    clears: bool = False
    """Take the private message away whose button was clicked: it asked something, and that is answered."""
    attachments: tuple[Block, ...] = ()
    thread_ts: str = ""
    """Answer in this thread; a private answer goes there too."""


@dataclass(frozen=True)
class Field:
    """One input of a modal, bound to a parameter of the command that the modal runs.

    `parameter` is the Python name (`dry_run`). `kind`: a line of text, several lines, one or several of `choices`, one
    or several of what the command's `suggest` function offers while people type, or a flag.
    """

    parameter: str
    label: str
    kind: Literal["line", "lines", "choice", "choices", "suggest", "suggests", "flag"] = "line"
    initial: str | tuple[str, ...] | bool = ""
    choices: tuple[str, ...] = ()
    hint: str = ""
    placeholder: str = ""
    required: bool = False
    positional: bool = False
    """Whether its value is said without `--parameter` before it."""

    @property
    def option(self) -> str:
        """As people type it."""
        return "--" + self.parameter.replace("_", "-")


@dataclass(frozen=True)
class Modal:
    """A form for a command. Submitting says `runs` with the filled-in fields, through the same door as typed text."""

    title: str
    submit: str
    runs: str
    fields: tuple[Field, ...]
    notes: tuple[Block, ...] = ()
    """Blocks above the fields, such as an alert."""


def view(modal: Modal, *, channel: str, message_ts: str = "", thread_ts: str = "") -> dict[str, Any]:
    """The modal as views.open takes it. Where it was opened travels in its private metadata."""
    spec = [[field.parameter, field.kind, field.positional] for field in modal.fields]
    origin = {"runs": modal.runs, "channel": channel, "fields": spec, "message": message_ts, "thread": thread_ts}
    return {
        "type": "modal",
        "callback_id": SUBMIT,
        "title": {"type": "plain_text", "text": cut(modal.title, 24)},
        "submit": {"type": "plain_text", "text": cut(modal.submit, 24)},
        "close": {"type": "plain_text", "text": "Close"},
        "private_metadata": json.dumps(origin, separators=(",", ":")),
        "blocks": [*modal.notes, *(_input(field) for field in modal.fields)],
    }


def _input(field: Field) -> dict[str, Any]:
    block: dict[str, Any] = {
        "type": "input",
        "block_id": field.parameter,
        "label": {"type": "plain_text", "text": cut(field.label, 2000)},
        "optional": not field.required,
        "element": _element(field),
    }
    if field.hint:
        block["hint"] = {"type": "plain_text", "text": cut(field.hint, 2000)}
    return block


def _element(field: Field) -> dict[str, Any]:
    element: dict[str, Any] = {"action_id": SUGGEST if field.kind in ("suggest", "suggests") else "value"}
    if field.placeholder and field.kind != "flag":
        element["placeholder"] = {"type": "plain_text", "text": cut(field.placeholder, 150)}
    match field.kind:
        case "line" | "lines":
            element |= {"type": "plain_text_input", "multiline": field.kind == "lines"}
            return element | ({"initial_value": field.initial} if field.initial else {})
        case "flag":
            yes = {"text": {"type": "plain_text", "text": cut(field.placeholder or "Yes", 75)}, "value": "yes"}
            element |= {"type": "checkboxes", "options": [yes]}
            return element | ({"initial_options": [yes]} if field.initial else {})
        case "choice" | "choices":
            element |= {"options": [option(choice) for choice in field.choices]}
            element |= {"type": "static_select" if field.kind == "choice" else "multi_static_select"}
        case "suggest" | "suggests":
            element |= {"type": "external_select" if field.kind == "suggest" else "multi_external_select"}
            element |= {"min_query_length": 0}
    return element | _initial_options(field)


def _initial_options(field: Field) -> dict[str, Any]:
    if not field.initial:
        return {}
    if field.kind in ("choice", "suggest"):
        return {"initial_option": option(str(field.initial))}
    values = field.initial if isinstance(field.initial, tuple) else (str(field.initial),)
    return {"initial_options": [option(each) for each in values]}


def option(text: str) -> dict[str, Any]:
    """One choice of a select."""
    return {"text": {"type": "plain_text", "text": cut(text, 75)}, "value": cut(text, 150)}


@dataclass(frozen=True)
class Submission:
    """What a filled-in modal says, and where it was opened."""

    text: str
    runs: str
    channel: str
    parameters: tuple[str, ...]
    """Names of the modal's fields: those that can carry an error."""
    message_ts: str = ""
    thread_ts: str = ""


def submission(submitted: Mapping[str, Any]) -> Submission:
    """Read a submitted view (of `view`) into command text."""
    origin = json.loads(submitted["private_metadata"])
    state = submitted["state"]["values"]
    positional: list[str] = []
    options: list[str] = []
    for parameter, kind, is_positional in origin["fields"]:
        values = _values(next(iter(state.get(parameter, {}).values()), {}))
        flag = "--" + parameter.replace("_", "-")
        if kind == "flag":
            options += [flag] * bool(values)
        elif is_positional:
            positional += [quote(value) for value in values]
        else:
            # Behind `=` a value may begin with a dash.
            options += [f"{flag}{'=' if value.startswith('-') else ' '}{quote(value)}" for value in values]
    return Submission(
        text=" ".join([origin["runs"], *positional, *options]),
        runs=origin["runs"],
        channel=origin["channel"],
        parameters=tuple(parameter for parameter, _, _ in origin["fields"]),
        message_ts=origin.get("message", ""),
        thread_ts=origin.get("thread", ""),
    )


def _values(element: Mapping[str, Any]) -> tuple[str, ...]:
    if option := element.get("selected_option"):
        return (option["value"],)
    if options := element.get("selected_options"):
        return tuple(each["value"] for each in options)
    text = (element.get("value") or "").strip()
    return (text,) if text else ()
