"""The content of messages: text, blocks, attachments and metadata, checked and completed."""

import copy
import secrets
from typing import Any

from sandbox.slack.api.call import Call, invalid
from sandbox.slack.blocks import MESSAGE, ONLY_ONE_TABLE, check_blocks, check_view, walk
from sandbox.slack.elements import elements_of, every_element
from sandbox.slack.shapes import Problem
from sandbox.slack.values import Json, SlackError
from sandbox.slack.workspace import Workspace

MOST_ATTACHMENTS = 100
MOST_MARKDOWN = 12_000
MOST_METADATA = 16_000
MOST_VIEW = 250_000


def blocks_of(slack: Workspace, value: Any) -> list[Json]:
    """The blocks of a message, with the ids that Slack gives those without; raises SlackError `invalid_blocks`."""
    if value is None:
        return []
    problems = check_blocks(value, MESSAGE, plan=slack.plan_blocks)
    refuse(problems, "invalid_blocks")
    return with_ids(value)


def refuse(problems: list[Problem], error: str) -> None:
    """Raise SlackError if a rule is broken. For blocks Slack reports it twice, for views in the metadata alone."""
    if any(problem.message == ONLY_ONE_TABLE for problem in problems):
        raise SlackError("invalid_attachments", (ONLY_ONE_TABLE,))
    if problems:
        messages = tuple(f"[ERROR] {problem}" for problem in problems)
        raise SlackError(error, messages, {} if error == "invalid_arguments" else {"errors": list(map(str, problems))})


def with_ids(blocks: list[Json]) -> list[Json]:
    """The blocks with a `block_id` each, and an `action_id` for each interactive element."""
    blocks = copy.deepcopy(blocks)
    for _, block in walk(blocks):
        if not block.get("block_id") or block["type"] == "markdown":
            block["block_id"] = secrets.token_urlsafe(4)
        for element in elements_of(block):
            if not element.get("action_id"):
                element["action_id"] = secrets.token_urlsafe(4)
    return blocks


def attachments_of(slack: Workspace, value: Any) -> list[Json]:
    """The attachments of a message, each with its `id`; raises SlackError."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise SlackError("invalid_attachments")
    if len(value) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    attachments: list[Json] = copy.deepcopy(value)
    for index, attachment in enumerate(attachments):
        attachment.setdefault("id", index + 1)
        attachment.setdefault("fallback", "[no preview available]")
        if (blocks := attachment.get("blocks")) is not None:
            pointer = f"/attachments/{index}/blocks"
            refuse(check_blocks(blocks, MESSAGE, pointer, plan=slack.plan_blocks), "invalid_attachments")
            attachment["blocks"] = with_ids(blocks)
    return attachments


def metadata_of(call: Call) -> Json | None:
    """A message's metadata; raises SlackError when it is malformed or too large."""
    value = call.json("metadata", "invalid_metadata_format")
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(value.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(str(value)) > MOST_METADATA:
        raise SlackError("metadata_too_large")
    return {"event_type": value["event_type"], "event_payload": value["event_payload"]}


def content_of(slack: Workspace, call: Call, *, files: bool = False) -> Json:
    """Text, blocks and attachments of a new message; raises SlackError `no_text` when there is none of them."""
    markdown = call.text("markdown_text")
    if markdown and (call.args.get("text") or call.args.get("blocks")):
        raise SlackError("markdown_text_conflict")
    if len(markdown) > MOST_MARKDOWN:
        raise SlackError("msg_too_long")
    blocks = blocks_of(slack, call.json("blocks", "invalid_blocks_format"))
    attachments = attachments_of(slack, call.json("attachments", "invalid_attachments"))
    text = markdown or call.text("text")
    if markdown:
        blocks = with_ids([{"type": "markdown", "text": markdown}])
    if not (text or blocks or attachments or files):
        raise SlackError("no_text")
    attached = [block for attachment in attachments for block in attachment.get("blocks") or []]
    tables = [block for _, block in walk([*blocks, *attached]) if block["type"] in ("table", "data_table")]
    if len(tables) > 1:
        raise SlackError("invalid_attachments", (ONLY_ONE_TABLE,))
    return {"text": text, "blocks": blocks, "attachments": attachments}


def view_of(slack: Workspace, call: Call, kind: str | None = None) -> Json:
    """The view argument, checked and completed; raises SlackError `invalid_arguments`."""
    view = call.json("view")
    if view is None:
        raise invalid("missing required field: view")
    return checked_view(slack, view, kind)


def checked_view(slack: Workspace, view: Any, kind: str | None = None) -> Json:
    """A valid view, with ids; raises SlackError `invalid_arguments`."""
    refuse(check_view(view, plan=slack.plan_blocks), "invalid_arguments")
    if kind is not None and view["type"] != kind:
        raise invalid(f"must be a {kind} view [json-pointer:/view/type]")
    if len(str(view)) > MOST_VIEW:
        raise SlackError("view_too_large")
    # Documented is that the scope is needed, not how its absence is answered.
    has_file_input = any(element["type"] == "file_input" for _, element in every_element(view["blocks"]))
    if has_file_input and not slack.app.has_scope("files:read"):
        provided = ",".join(sorted(slack.app.scopes or ()))
        raise SlackError("missing_scope", extra={"needed": "files:read", "provided": provided})
    filled = {name: value for name, value in view.items() if value is not None}
    return {**filled, "blocks": with_ids(view["blocks"])}
