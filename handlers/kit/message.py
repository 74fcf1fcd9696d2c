"""What people see: a message, or a modal that runs a command when it is submitted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from handlers.kit.language import t
from handlers.kit.text import cut
from handlers.kit.words import quote
from services.model.attachment import Attachment

Block = Mapping[str, Any]

SUGGEST = "suggest"
"""`action_id` of every external select, with which Slack requests its options."""
SUBMIT = "run"
"""`callback_id` of every modal."""


@dataclass(frozen=True)
class File:
    """A text file for a message's thread."""

    name: str
    title: str
    content: str


@dataclass(frozen=True)
class Message:
    """An answer. Notifications and screen readers get `text`; without blocks it is the whole message."""

    text: str
    blocks: tuple[Block, ...] = ()
    visibility: Literal["private", "channel", "direct"] = "private"
    """`private` is ephemeral: only the person who ran the command sees it. `direct` goes to that person's conversation
    with the bot, where it stays."""
    replace: bool = False
    """Replaces the message whose button was clicked."""
    clears: bool = False
    """Deletes the private message whose button was clicked, because its question is answered."""
    attachments: tuple[Block, ...] = ()
    thread_ts: str = ""
    """The thread to answer in, also for a private answer."""
    file: File | None = None
    """Goes to the thread of a `direct` message; an ephemeral one has none."""

    @property
    def buttons(self) -> tuple[Block, ...]:
        """The rows of buttons, those of attachments last."""
        attached = [block for attachment in self.attachments for block in attachment.get("blocks", ())]
        return tuple(block for block in (*self.blocks, *attached) if block["type"] == "actions")


@dataclass(frozen=True)
class Field:
    """One input of a modal, bound to a parameter of the command that the modal runs.

    `parameter` is the Python name (`dry_run`). `kind` is a line of text, several lines, one or several of `choices`,
    one or several names that the command's `suggest` function offers while people type, a flag, or one file with one of
    the extensions `choices`. A file is no part of the command's text: the command finds it in `Request.attachments`.
    """

    parameter: str
    label: str
    kind: Literal["line", "lines", "choice", "choices", "suggest", "suggests", "flag", "file"] = "line"
    initial: str | tuple[str, ...] | bool = ""
    choices: tuple[str, ...] = ()
    hint: str = ""
    placeholder: str = ""
    required: bool = False
    positional: bool = False
    """Whether its value is passed without `--parameter` before it."""

    @property
    def option(self) -> str:
        """As people type it."""
        return "--" + self.parameter.replace("_", "-")


@dataclass(frozen=True)
class Modal:
    """A form for a command. Submitting it runs `runs` with the fields' values, through the same door as typed text."""

    title: str
    submit: str
    runs: str
    fields: tuple[Field, ...]
    notes: tuple[Block, ...] = ()
    """Blocks above the fields, such as an alert."""
    close: str = field(default_factory=lambda: t("Close"))
    """The button that leaves the form as it was."""


def view(modal: Modal, *, channel: str, message_ts: str = "", thread_ts: str = "") -> dict[str, Any]:
    """The modal as views.open expects it. Its private metadata carries where it was opened."""
    spec = [[field.parameter, field.kind, field.positional] for field in modal.fields]
    origin = {"runs": modal.runs, "channel": channel, "fields": spec, "message": message_ts, "thread": thread_ts}
    inputs = [
        {
            "type": "input",
            "block_id": field.parameter,
            "label": {"type": "plain_text", "text": cut(field.label, 2000)},
            "optional": not field.required,
            "element": _element(field),
        }
        | ({"hint": {"type": "plain_text", "text": cut(field.hint, 2000)}} if field.hint else {})
        for field in modal.fields
    ]
    return {
        "type": "modal",
        "callback_id": SUBMIT,
        "title": {"type": "plain_text", "text": cut(modal.title, 24)},
        "submit": {"type": "plain_text", "text": cut(modal.submit, 24)},
        "close": {"type": "plain_text", "text": modal.close},
        "private_metadata": json.dumps(origin, separators=(",", ":")),
        "blocks": [*modal.notes, *inputs],
    }


def _element(field: Field) -> dict[str, Any]:
    element: dict[str, Any] = {"action_id": SUGGEST if field.kind in ("suggest", "suggests") else "value"}
    if field.placeholder and field.kind != "flag":
        element["placeholder"] = {"type": "plain_text", "text": cut(field.placeholder, 150)}
    match field.kind:
        case "line" | "lines":
            element |= {"type": "plain_text_input", "multiline": field.kind == "lines"}
            return element | ({"initial_value": field.initial} if field.initial else {})
        case "flag":
            yes = {"text": {"type": "plain_text", "text": cut(field.placeholder or t("Yes"), 75)}, "value": "yes"}
            element |= {"type": "checkboxes", "options": [yes]}
            return element | ({"initial_options": [yes]} if field.initial else {})
        case "file":
            return element | {"type": "file_input", "filetypes": list(field.choices), "max_files": 1}
        case "choice" | "choices":
            element |= {"options": [option(choice) for choice in field.choices]}
            element |= {"type": "static_select" if field.kind == "choice" else "multi_static_select"}
        case "suggest" | "suggests":
            element |= {"type": "external_select" if field.kind == "suggest" else "multi_external_select"}
            element |= {"min_query_length": 0}
    if not field.initial:
        return element
    if field.kind in ("choice", "suggest"):
        return element | {"initial_option": option(str(field.initial))}
    values = field.initial if isinstance(field.initial, tuple) else (str(field.initial),)
    return element | {"initial_options": [option(value) for value in values]}


def option(text: str) -> dict[str, Any]:
    """One choice of a select."""
    return {"text": {"type": "plain_text", "text": cut(text, 75)}, "value": cut(text, 150)}


@dataclass(frozen=True)
class Submission:
    """The command text of a submitted modal, and where it was opened."""

    text: str
    runs: str
    channel: str
    parameters: tuple[str, ...]
    """Names of the modal's fields, beside which an error can be shown."""
    message_ts: str = ""
    thread_ts: str = ""
    attachments: Mapping[str, Attachment] = field(default_factory=dict)
    """By the field's name."""


def submission(submitted: Mapping[str, Any]) -> Submission:
    """Read a submitted view (of `view`) into command text."""
    origin = json.loads(submitted["private_metadata"])
    state = submitted["state"]["values"]
    positional: list[str] = []
    options: list[str] = []
    attachments: dict[str, Attachment] = {}
    for parameter, kind, is_positional in origin["fields"]:
        element: Mapping[str, Any] = next(iter(state.get(parameter, {}).values()), {})
        for file in element.get("files") or ():
            attachments[parameter] = _attachment(file)
        selected = [element.get("selected_option"), *(element.get("selected_options") or ())]
        text = (element.get("value") or "").strip()
        values = [choice["value"] for choice in selected if choice] or ([text] if text else [])
        flag = "--" + parameter.replace("_", "-")
        if kind == "flag":
            options += [flag] * bool(values)
        elif is_positional:
            positional += [quote(value) for value in values]
        else:
            # After `=` a value may begin with a dash.
            options += [f"{flag}{'=' if value.startswith('-') else ' '}{quote(value)}" for value in values]
    return Submission(
        text=" ".join([origin["runs"], *positional, *options]),
        runs=origin["runs"],
        channel=origin["channel"],
        parameters=tuple(parameter for parameter, _, _ in origin["fields"]),
        message_ts=origin.get("message", ""),
        thread_ts=origin.get("thread", ""),
        attachments=attachments,
    )


def _attachment(file: Mapping[str, Any]) -> Attachment:
    return Attachment(
        id=str(file.get("id") or ""),
        name=str(file.get("name") or ""),
        size=int(file.get("size") or 0),
        address=str(file.get("url_private_download") or ""),
        is_external=bool(file.get("is_external")) or file.get("mode") == "external",
    )
