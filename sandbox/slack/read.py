"""Conversations and views as plain text, for tests and terminals."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.slack.blocks import plain
from sandbox.slack.values import Channel, Json, Message, Person
from sandbox.slack.workspace import Workspace

MARKS = {"pending": "[ ]", "in_progress": "[~]", "complete": "[x]", "error": "[!]"}
_REFERENCE = re.compile(r"<([@#!]?)([^>|]*)(?:\|([^>]*))?>")


def lines_of(slack: Workspace, person: Person, channel: Channel) -> list[str]:
    """The whole conversation, replies indented under their roots."""
    lines: list[str] = []
    for message in list(channel.messages.values()):
        if message.at_top and message.ephemeral_to in (None, person.id):
            lines += message_lines(slack, person, message)
            for reply in channel.replies.get(message.ts, []):
                if reply.ephemeral_to in (None, person.id):
                    lines += [f"    {line}" for line in message_lines(slack, person, reply)]
    return lines


def message_lines(slack: Workspace, person: Person, message: Message) -> list[str]:
    """One message: its author before the first line, the other lines indented."""
    body = list(_body(slack, person, message)) or [""]
    own = message.ephemeral_to is not None and message.slash is None
    who = slack.for_people(message)["username"] + (" (only you)" if own else "")
    edited = " (edited)" if message.edited else ""
    return [f"{who}: {body[0]}{edited if len(body) == 1 else ''}", *(f"  {line}" for line in body[1:])]


def _body(slack: Workspace, person: Person, message: Message) -> Iterator[str]:
    if message.slash is not None:
        yield message.slash
        return
    if message.blocks:
        yield from block_lines(slack, person, message.blocks)
    else:
        yield from words(slack, message.text).splitlines()
    for attachment in message.attachments:
        for name in ("pretext", "title", "text"):
            yield from words(slack, str(attachment.get(name) or "")).splitlines()
        yield from block_lines(slack, person, attachment.get("blocks") or [])
    for file in message.files:
        yield f"[file {file['title']}]"
    for name, who in message.reactions.items():
        if who:
            yield f":{name}: {len(who)}"


def words(slack: Workspace, text: str) -> str:
    """A text with references resolved and escapes decoded."""

    def spelled(match: re.Match[str]) -> str:
        kind, name, label = match.groups()
        if kind == "@":
            return f"@{slack.people[name].name}" if name in slack.people else f"@{label or name}"
        if kind == "#":
            return f"#{slack.channels[name].name}" if name in slack.channels else f"#{label or name}"
        if kind == "!":
            kind, _, fallback = name.partition("^")
            if kind == "subteam":
                return next(
                    (f"@{group.handle}" for group in slack.groups if group.id == fallback), label or f"@{fallback}"
                )
            return label or f"@{name}"
        return label or name

    return _REFERENCE.sub(spelled, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def block_lines(slack: Workspace, person: Person, blocks: list[Json]) -> Iterator[str]:
    """Blocks as lines of text."""
    for block in blocks:
        yield from _LINES.get(block["type"], _plain_block)(slack, person, block)


def view_lines(slack: Workspace, person: Person, view: Json) -> list[str]:
    """A modal or a Home tab."""
    title = [f"# {plain(view['title'])}"] if view.get("title") else []
    submit = [f"[{plain(view['submit'])}]"] if view.get("submit") else []
    return [*title, *block_lines(slack, person, view["blocks"]), *submit]


Lines = Callable[[Workspace, Person, Json], Iterator[str]]


def _text(slack: Workspace, value: Any) -> list[str]:
    return words(slack, plain(value)).splitlines() if value else []


def _plain_block(slack: Workspace, _person: Person, block: Json) -> Iterator[str]:
    yield from _text(slack, block.get("text"))


def _section(slack: Workspace, person: Person, block: Json) -> Iterator[str]:
    yield from _text(slack, block.get("text"))
    for field in block.get("fields") or []:
        yield " ".join(_text(slack, field))
    if accessory := block.get("accessory"):
        yield from _elements(slack, person, {"elements": [accessory]})


def _context(slack: Workspace, _person: Person, block: Json) -> Iterator[str]:
    parts = [f"({each['alt_text']})" if each["type"] == "image" else plain(each) for each in block["elements"]]
    yield words(slack, " ".join(parts))


def _elements(slack: Workspace, person: Person, block: Json) -> Iterator[str]:
    visible = [each for each in block["elements"] if person.id in each.get("visible_to_user_ids", [person.id])]
    if labels := [_label(each) for each in visible]:
        yield words(slack, " ".join(labels))


def _label(element: Json) -> str:
    if element["type"] == "image":
        return f"({element['alt_text']})"
    if element["type"] == "overflow":
        return f"[… {' | '.join(plain(option['text']) for option in element['options'])}]"
    if element["type"] == "feedback_buttons":
        return " ".join(f"[{plain(element[name]['text'])}]" for name in ("positive_button", "negative_button"))
    if element["type"] in ("checkboxes", "radio_buttons"):
        return " ".join(f"( ) {plain(option['text'])}" for option in element["options"])
    return f"[{plain(element.get('text')) or plain(element.get('placeholder')) or element['type']}]"


def _plan(slack: Workspace, person: Person, block: Json) -> Iterator[str]:
    yield block["title"]
    for task in block.get("tasks") or []:
        yield from _task(slack, person, task)


def _task(slack: Workspace, _person: Person, task: Json) -> Iterator[str]:
    yield f"{MARKS[task.get('status') or 'pending']} {task['title']}"
    for name in ("details", "output"):
        for line in rich_lines(slack, task.get(name)):
            yield f"    {line}"


def rich_lines(slack: Workspace, block: Json | None) -> list[str]:
    """A rich text block, with one line for each paragraph or list item."""
    lines: list[str] = []
    for element in (block or {}).get("elements") or []:
        if element["type"] == "rich_text_list":
            lines += [f"- {_run(slack, item['elements'])}" for item in element["elements"]]
        else:
            lines += _run(slack, element["elements"]).splitlines()
    return lines


def _run(slack: Workspace, elements: list[Json]) -> str:
    return "".join(_inline(slack, each) for each in elements)


def _inline(slack: Workspace, element: Json) -> str:
    kind = element["type"]
    if kind == "user":
        return words(slack, f"<@{element['user_id']}>")
    if kind == "channel":
        return words(slack, f"<#{element['channel_id']}>")
    if kind == "usergroup":
        return words(slack, f"<!subteam^{element['usergroup_id']}>")
    if kind == "emoji":
        return f":{element['name']}:"
    return str(element.get("text") or element.get("fallback") or element.get("url") or element.get("range") or "")


def _table(slack: Workspace, _person: Person, block: Json) -> Iterator[str]:
    if block.get("caption"):
        yield plain(block["caption"])
    for row in block["rows"]:
        yield " | ".join(" ".join(_cell(slack, cell)) for cell in row)


def _cell(slack: Workspace, cell: Json) -> list[str]:
    if cell["type"] == "rich_text":
        return rich_lines(slack, cell)
    return [str(cell.get("text") or cell.get("value") or "")]


def _image(slack: Workspace, _person: Person, block: Json) -> Iterator[str]:
    yield from _text(slack, block.get("title"))
    yield f"({block['alt_text']})"


def _input(_slack: Workspace, _person: Person, block: Json) -> Iterator[str]:
    element = block["element"]
    yield f"{plain(block['label'])}{' (optional)' if block.get('optional') else ''}: {_label(element)}"


def _card(slack: Workspace, person: Person, block: Json) -> Iterator[str]:
    for name in ("title", "subtitle", "body", "subtext"):
        yield from _text(slack, block.get(name))
    if block.get("actions"):
        yield from _elements(slack, person, {"elements": block["actions"]})


def _carousel(slack: Workspace, person: Person, block: Json) -> Iterator[str]:
    for card in block["elements"]:
        yield from _card(slack, person, card)


def _container(slack: Workspace, person: Person, block: Json) -> Iterator[str]:
    yield from _text(slack, block.get("title")) or rich_lines(slack, block.get("rich_text_title"))
    for line in block_lines(slack, person, block["child_blocks"]):
        yield f"  {line}"


_LINES: dict[str, Lines] = {
    "actions": _elements,
    "card": _card,
    "carousel": _carousel,
    "container": _container,
    "context": _context,
    "context_actions": _elements,
    "data_table": _table,
    "divider": lambda *_: iter(["---"]),
    "header": lambda slack, _, block: iter([f"# {words(slack, plain(block['text']))}"]),
    "image": _image,
    "input": _input,
    "plan": _plan,
    "rich_text": lambda slack, _, block: iter(rich_lines(slack, block)),
    "section": _section,
    "table": _table,
    "task_card": _task,
}
