"""The Block Kit rules: which blocks go where, what is in them, and how large they may be.

Sources: docs.slack.dev (block and element reference, blocks.json) and the limits that slack_sdk's models carry.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.slack.shapes import Anything, Flag, ListOf, Num, Obj, OneOf, Problem, Rule, Shape, Str, Text
from sandbox.slack.values import Json

MESSAGE, MODAL, HOME = "message", "modal", "home"
SURFACES: dict[str, frozenset[str]] = {
    "actions": frozenset({MESSAGE, MODAL, HOME}),
    "alert": frozenset({MODAL}),
    "auth_provider": frozenset({MESSAGE}),
    "call": frozenset({MESSAGE}),
    "card": frozenset({MESSAGE, HOME}),
    "carousel": frozenset({MESSAGE, HOME}),
    "container": frozenset({MESSAGE, HOME}),
    "context": frozenset({MESSAGE, MODAL, HOME}),
    "context_actions": frozenset({MESSAGE}),
    "data_table": frozenset({MESSAGE}),
    "data_visualization": frozenset({MESSAGE, HOME}),
    "divider": frozenset({MESSAGE, MODAL, HOME}),
    "file": frozenset({MESSAGE}),
    "header": frozenset({MESSAGE, MODAL, HOME}),
    "image": frozenset({MESSAGE, MODAL, HOME}),
    "input": frozenset({MESSAGE, MODAL, HOME}),
    "markdown": frozenset({MESSAGE}),
    "plan": frozenset({MESSAGE}),
    "rich_text": frozenset({MESSAGE, MODAL, HOME}),
    "section": frozenset({MESSAGE, MODAL, HOME}),
    "table": frozenset({MESSAGE}),
    "task_card": frozenset({MESSAGE}),
    "video": frozenset({MESSAGE, MODAL, HOME}),
}
MOST_BLOCKS = {MESSAGE: 50, MODAL: 100, HOME: 100}
ONE_A_MESSAGE = {"plan": ("plan",), "table": ("table", "data_table")}
MOST_MARKDOWN, MOST_TABLE_TEXT, MOST_CHARTS = 12_000, 10_000, 2
ONLY_ONE_TABLE = "only_one_table_allowed"

ID = Str(255, 1)
URL = Str(3000, 1)
ANY = Anything()


def _exactly_one(*names: str) -> Rule:
    def rule(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
        if sum(value.get(name) is not None for name in names) != 1:
            yield Problem(pointer, f"must define exactly one of: {', '.join(names)}")

    return rule


def _at_least_one(*names: str) -> Rule:
    def rule(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
        if not any(value.get(name) for name in names):
            yield Problem(pointer, f"must define at least one of: {', '.join(names)}")

    return rule


def _unique_action_ids(name: str) -> Rule:
    def rule(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
        elements = value.get(name)
        for index, action_id in _repeated(elements if isinstance(elements, list) else [], "action_id"):
            yield Problem(f"{pointer}/{name}/{index}/action_id", f"`action_id` {action_id!r} already exists")

    return rule


def _repeated(items: Iterable[Any], key: str) -> Iterator[tuple[int, str]]:
    values: set[str] = set()
    for index, item in enumerate(items):
        name = item.get(key) if isinstance(item, dict) else None
        if isinstance(name, str) and name in values:
            yield index, name
        elif isinstance(name, str):
            values.add(name)


def _lengths_in_order(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    least, longest = value.get("min_length"), value.get("max_length")
    if isinstance(least, int) and isinstance(longest, int) and least > longest:
        yield Problem(pointer, "min_length must not be greater than max_length")


def _initial_is_an_option(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    groups = _list_in(value, "option_groups")
    options = [*_list_in(value, "options"), *(option for group in groups for option in _list_in(group, "options"))]
    values = [option.get("value") for option in options if isinstance(option, dict)]
    chosen = [value.get("initial_option"), *_list_in(value, "initial_options")]
    for option in chosen:
        if isinstance(option, dict) and option.get("value") not in values:
            yield Problem(pointer, "initial option must match one of the options")


def _list_in(value: Any, name: str) -> list[Any]:
    items = value.get(name) if isinstance(value, Mapping) else None
    return items if isinstance(items, list) else []


# composition objects

CONFIRM = Obj(
    {
        "title": Text(100),
        "text": Text(300, mrkdwn=True),
        "confirm": Text(30),
        "deny": Text(30),
        "style": Str(among=("primary", "danger")),
    },
    required=("title", "text", "confirm", "deny"),
)


def _option(*, mrkdwn: bool = False, url: bool = False) -> Obj:
    fields: dict[str, Shape] = {"text": Text(75, mrkdwn=mrkdwn), "value": Str(150, 1)}
    fields["description"] = Text(75, mrkdwn=mrkdwn)
    return Obj({**fields, "url": URL} if url else fields, required=("text", "value"))


OPTION, RICH_OPTION = _option(), _option(mrkdwn=True)
OPTION_GROUP = Obj({"label": Text(75), "options": ListOf(OPTION, 1, 100)}, required=("label", "options"))
SLACK_FILE = Obj({"id": Str(), "url": Str()}, rules=(_exactly_one("id", "url"),))
IMAGE_SOURCE: dict[str, Shape] = {"image_url": URL, "slack_file": SLACK_FILE, "alt_text": Str(2000)}
FILTER = Obj(
    {
        "include": ListOf(Str(among=("im", "mpim", "private", "public")), 1),
        "exclude_external_shared_channels": Flag(),
        "exclude_bot_users": Flag(),
    }
)
DISPATCH = Obj({"trigger_actions_on": ListOf(Str(among=("on_enter_pressed", "on_character_entered")), 1)})
STYLE = Str(among=("primary", "danger"))
FEEDBACK = Obj({"text": Text(75), "value": Str(2000), "accessibility_label": Str(75)}, required=("text", "value"))
WORKFLOW = Obj({"trigger": Obj({"url": URL, "customizable_input_parameters": ListOf(ANY)}, required=("url",))})

# rich text

_INLINE = ("text", "link", "emoji", "user", "channel", "usergroup", "team", "broadcast", "date", "color")
_INLINE_NEEDS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "link": ("url",),
    "emoji": ("name",),
    "user": ("user_id",),
    "channel": ("channel_id",),
    "usergroup": ("usergroup_id",),
    "team": ("team_id",),
    "broadcast": ("range",),
    "date": ("timestamp", "format"),
    "color": ("value",),
}
INLINE: dict[str, Shape] = {name: Obj({"text": Str()}, _INLINE_NEEDS[name], extras=True) for name in _INLINE}
_RUN = ListOf(OneOf(lambda: INLINE))
RICH: dict[str, Shape] = {
    "rich_text_section": Obj({"type": ANY, "elements": _RUN}, ("elements",)),
    "rich_text_quote": Obj({"type": ANY, "elements": _RUN, "border": ANY}, ("elements",)),
    "rich_text_preformatted": Obj({"type": ANY, "elements": _RUN, "border": ANY, "language": Str()}, ("elements",)),
    "rich_text_list": Obj(
        {
            "type": ANY,
            "elements": ListOf(OneOf(lambda: RICH, among=("rich_text_section",))),
            "style": Str(among=("bullet", "ordered")),
            "indent": Num(0, 8),
            "offset": Num(0),
            "border": ANY,
        },
        ("elements", "style"),
    ),
}
RICH_TEXT = Obj({"type": Str(among=("rich_text",)), "block_id": ID, "elements": ListOf(OneOf(lambda: RICH))})

# elements


def _element(fields: Mapping[str, Shape], required: tuple[str, ...] = (), *rules: Rule) -> Obj:
    common = {"type": ANY, "action_id": ID, "confirm": CONFIRM, "focus_on_load": Flag()}
    return Obj({**common, **fields}, required, rules)


def _menu(fields: Mapping[str, Shape], required: tuple[str, ...] = (), *rules: Rule) -> Obj:
    return _element({"placeholder": Text(150), **fields}, required, *rules)


def _choices(option: Shape, maximum: int) -> dict[str, Shape]:
    return {"options": ListOf(option, 1, maximum)}


_STATIC: dict[str, Shape] = {"options": ListOf(OPTION, 1, 100), "option_groups": ListOf(OPTION_GROUP, 1, 100)}
_MANY: dict[str, Shape] = {"max_selected_items": Num(1)}
_IDS = ListOf(Str())
_TYPED: dict[str, Shape] = {"initial_value": Str(), "placeholder": Text(150), "dispatch_action_config": DISPATCH}
_DATE = Str(10, 10)
_BUTTON: dict[str, Shape] = {
    "text": Text(75),
    "url": URL,
    "value": Str(2000),
    "style": STYLE,
    "accessibility_label": Str(75),
    "visible_to_user_ids": ListOf(Str(), 1),
    "agent_prompt": Str(4000),
    "agent_prompt_display": ANY,
}
_STATIC_RULES = (_exactly_one("options", "option_groups"), _initial_is_an_option)

ELEMENTS: dict[str, Shape] = {
    "button": _element(_BUTTON, ("text",)),
    "static_select": _menu({**_STATIC, "initial_option": OPTION}, (), *_STATIC_RULES),
    "external_select": _menu({"initial_option": OPTION, "min_query_length": Num(0)}),
    "users_select": _menu({"initial_user": Str()}),
    "conversations_select": _menu(
        {
            "initial_conversation": Str(),
            "default_to_current_conversation": Flag(),
            "response_url_enabled": Flag(),
            "filter": FILTER,
        }
    ),
    "channels_select": _menu({"initial_channel": Str(), "response_url_enabled": Flag()}),
    "multi_static_select": _menu({**_STATIC, **_MANY, "initial_options": ListOf(OPTION, 1, 100)}, (), *_STATIC_RULES),
    "multi_external_select": _menu({**_MANY, "initial_options": ListOf(OPTION, 1, 100), "min_query_length": Num(0)}),
    "multi_users_select": _menu({**_MANY, "initial_users": _IDS}),
    "multi_conversations_select": _menu(
        {**_MANY, "initial_conversations": _IDS, "default_to_current_conversation": Flag(), "filter": FILTER}
    ),
    "multi_channels_select": _menu({**_MANY, "initial_channels": _IDS}),
    "overflow": _element(_choices(_option(url=True), 5), ("options",)),
    "datepicker": _menu({"initial_date": _DATE}),
    "timepicker": _menu({"initial_time": Str(5, 5), "timezone": Str()}),
    "datetimepicker": _element({"initial_date_time": Num(0)}),
    "checkboxes": _element(
        {**_choices(RICH_OPTION, 10), "initial_options": ListOf(RICH_OPTION, 1, 10)},
        ("options",),
        _initial_is_an_option,
    ),
    "radio_buttons": _element(
        {**_choices(RICH_OPTION, 10), "initial_option": RICH_OPTION}, ("options",), _initial_is_an_option
    ),
    "plain_text_input": _element(
        {**_TYPED, "multiline": Flag(), "min_length": Num(0, 3000), "max_length": Num(1, 3000)}, (), _lengths_in_order
    ),
    "number_input": _element(
        {**_TYPED, "is_decimal_allowed": Flag(), "min_value": Str(), "max_value": Str()}, ("is_decimal_allowed",)
    ),
    "email_text_input": _element(_TYPED),
    "url_text_input": _element(_TYPED),
    "rich_text_input": _element({**_TYPED, "initial_value": RICH_TEXT, "min_lines": Num(1), "max_lines": Num(1)}),
    "file_input": _element({"filetypes": ListOf(Str()), "max_files": Num(1, 10)}),
    "image": Obj({"type": ANY, **IMAGE_SOURCE}, ("alt_text",), (_exactly_one("image_url", "slack_file"),)),
    "feedback_buttons": _element(
        {"positive_button": FEEDBACK, "negative_button": FEEDBACK}, ("positive_button", "negative_button")
    ),
    "icon_button": _element(
        {
            "icon": Str(among=("trash",)),
            "text": Text(75),
            "value": Str(2000),
            "accessibility_label": Str(75),
            "visible_to_user_ids": ListOf(Str(), 1),
        },
        ("icon", "text"),
    ),
    "workflow_button": _element(
        {"text": Text(75), "workflow": WORKFLOW, "style": STYLE, "accessibility_label": Str(75)}, ("text", "workflow")
    ),
    "url": Obj({"type": ANY, "url": URL, "text": Str(), "icon_url": URL}, ("url", "text")),
    "raw_text": Obj({"type": ANY, "text": Str()}, ("text",)),
    "raw_number": Obj({"type": ANY, "value": ANY, "text": Str()}, ("value",)),
    "rich_text": RICH_TEXT,
    "plain_text": Text(2000),
    "mrkdwn": Text(2000, mrkdwn=True),
}

_SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
_MULTI = tuple(f"multi_{name}" for name in _SELECTS)
_PICKED = ("datepicker", "timepicker", "checkboxes", "radio_buttons")
_TYPED_IN = ("plain_text_input", "number_input", "email_text_input", "url_text_input", "rich_text_input", "file_input")
IN_ACTIONS = (
    "button",
    "overflow",
    "datetimepicker",
    "workflow_button",
    "rich_text_input",
    *_SELECTS,
    *_MULTI,
    *_PICKED,
)
IN_SECTION = ("button", "overflow", "image", "workflow_button", *_SELECTS, *_MULTI, *_PICKED)
IN_INPUT = ("datetimepicker", *_SELECTS, *_MULTI, *_PICKED, *_TYPED_IN)


def _elements(*among: str, default: str | None = None) -> OneOf:
    return OneOf(lambda: ELEMENTS, default, among)


# blocks


def _block(fields: Mapping[str, Shape], required: tuple[str, ...] = (), *rules: Rule) -> Obj:
    return Obj({"type": ANY, "block_id": ID, **fields}, required, rules)


_TASK = _block(
    {
        "task_id": Str(255, 1),
        "title": Str(256, 1),
        "status": Str(among=("pending", "in_progress", "complete", "error")),
        "details": RICH_TEXT,
        "output": RICH_TEXT,
        "sources": ListOf(_elements("url", default="url")),
    },
    ("task_id", "title"),
)
_CELL = _elements("raw_text", "raw_number", "rich_text")
_COLUMN = Obj({"align": Str(among=("left", "center", "right")), "is_wrapped": Flag()})
_TABLE_IMAGE = _elements("image", default="image")


def _equal_rows(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    rows = [row for row in _list_in(value, "rows") if isinstance(row, list)]
    if len({len(row) for row in rows}) > 1:
        yield Problem(f"{pointer}/rows", "all rows must have the same number of cells")


def _no_header_links(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    rows = _list_in(value, "rows")
    for index, cell in enumerate(rows[0] if rows and isinstance(rows[0], list) else []):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            yield Problem(f"{pointer}/rows/0/{index}", "header cells must not be rich_text")


def _no_divider_on_folding(value: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    if value.get("is_collapsible") and value.get("has_header_divider"):
        yield Problem(pointer, "has_header_divider is not allowed when is_collapsible is set")


_CARD = _block(
    {
        "hero_image": _TABLE_IMAGE,
        "icon": _TABLE_IMAGE,
        "slack_icon": ANY,
        "title": Text(150, mrkdwn=True),
        "subtitle": Text(150, mrkdwn=True),
        "body": Text(200, mrkdwn=True),
        "subtext": Text(200, mrkdwn=True),
        "actions": ListOf(_elements("button"), 1, 3),
    },
    (),
    _at_least_one("hero_image", "title", "actions", "body"),
)

BLOCKS: dict[str, Shape] = {
    "actions": _block(
        {"elements": ListOf(_elements(*IN_ACTIONS), 1, 25)}, ("elements",), _unique_action_ids("elements")
    ),
    "alert": _block(
        {"text": Text(200, mrkdwn=True), "level": Str(among=("default", "info", "warning", "error", "success"))},
        ("text",),
    ),
    "card": _CARD,
    "carousel": _block({"elements": ListOf(OneOf(lambda: BLOCKS, "card", ("card",)), 1, 10)}, ("elements",)),
    "container": _block(
        {
            "title": Text(150),
            "rich_text_title": RICH_TEXT,
            "subtitle": Text(150, mrkdwn=True),
            "icon": _TABLE_IMAGE,
            "child_blocks": ListOf(
                OneOf(lambda: {name: shape for name, shape in BLOCKS.items() if name != "container"}), 1, 10
            ),
            "width": Str(among=("narrow", "standard", "wide", "full")),
            "is_collapsible": Flag(),
            "default_collapsed": Flag(),
            "has_header_divider": Flag(),
        },
        ("child_blocks",),
        _at_least_one("title", "rich_text_title"),
        _no_divider_on_folding,
    ),
    "context": _block({"elements": ListOf(_elements("image", "plain_text", "mrkdwn"), 1, 10)}, ("elements",)),
    "context_actions": _block(
        {"elements": ListOf(_elements("feedback_buttons", "icon_button"), 1, 5)},
        ("elements",),
        _unique_action_ids("elements"),
    ),
    "data_table": _block(
        {
            "caption": Str(least=1),
            "page_size": Num(1, 100),
            "rows": ListOf(ListOf(_CELL, 1, 20), 2, 101),
            "columns": ANY,
        },
        ("caption", "rows"),
        _equal_rows,
        _no_header_links,
    ),
    "data_visualization": Obj({"type": ANY, "block_id": ID}, extras=True),
    "auth_provider": Obj({"type": ANY, "block_id": ID}, extras=True),
    "call": Obj({"type": ANY, "block_id": ID}, ("call_id",), extras=True),
    "divider": _block({}),
    "file": _block({"external_id": Str(), "source": Str(among=("remote",))}, ("external_id", "source")),
    "header": _block({"text": Text(150), "level": Num(1, 4)}, ("text",)),
    "image": _block({**IMAGE_SOURCE, "title": Text(2000)}, ("alt_text",), _exactly_one("image_url", "slack_file")),
    "input": _block(
        {
            "label": Text(2000),
            "element": _elements(*IN_INPUT),
            "hint": Text(2000),
            "optional": Flag(),
            "dispatch_action": Flag(),
        },
        ("label", "element"),
    ),
    "markdown": _block({"text": Str(least=1)}, ("text",)),
    "plan": _block(
        {"title": Str(256, 1), "tasks": ListOf(OneOf(lambda: BLOCKS, "task_card", ("task_card",)), 0, 50)}, ("title",)
    ),
    "rich_text": _block({"elements": RICH_TEXT.fields["elements"]}, ("elements",)),
    "section": _block(
        {
            "text": Text(3000, mrkdwn=True),
            "fields": ListOf(Text(2000, mrkdwn=True), 1, 10),
            "accessory": _elements(*IN_SECTION),
            "expand": Flag(),
        },
        (),
        _at_least_one("text", "fields"),
    ),
    "table": _block(
        {"rows": ListOf(ListOf(_CELL, 0, 20), 1, 100), "column_settings": ListOf(_COLUMN, 0, 20)}, ("rows",)
    ),
    "task_card": _TASK,
    "video": _block(
        {
            "alt_text": Str(),
            "video_url": URL,
            "thumbnail_url": URL,
            "title": Text(199),
            "title_url": URL,
            "description": Text(200),
            "provider_icon_url": URL,
            "provider_name": Str(50),
            "author_name": Str(50),
        },
        ("alt_text", "video_url", "thumbnail_url", "title"),
    ),
}

_VIEW: dict[str, Shape] = {
    "type": Str(among=("modal", "home")),
    "callback_id": Str(255),
    "private_metadata": Str(3000),
    "external_id": Str(255),
    "blocks": ANY,
}
VIEWS: dict[str, Obj] = {
    "modal": Obj(
        {
            **_VIEW,
            "title": Text(24),
            "submit": Text(24),
            "close": Text(24),
            "clear_on_close": Flag(),
            "notify_on_close": Flag(),
            "submit_disabled": Flag(),
        },
        ("title", "blocks"),
    ),
    "home": Obj(_VIEW, ("blocks",)),
}


# rules for a payload as a whole


def check_blocks(blocks: Any, surface: str, pointer: str = "/blocks", *, plan: bool = True) -> list[Problem]:
    """The rules that these blocks break; `plan` is whether the workspace knows plan and task_card blocks."""
    kinds = {name: shape for name, shape in BLOCKS.items() if plan or name not in ("plan", "task_card")}
    problems = list(ListOf(OneOf(lambda: kinds), 0, MOST_BLOCKS[surface]).check(blocks, pointer))
    if not isinstance(blocks, list):
        return problems
    located = [(where, block) for where, block in walk(blocks, pointer) if str(block.get("type")) in kinds]
    problems += [
        Problem(f"{where}/type", f"{block['type']} is not allowed in a {surface}")
        for where, block in located
        if surface not in SURFACES[block["type"]]
    ]
    problems += [
        Problem(f"{pointer}/{index}/block_id", f"`block_id` {name!r} already exists")
        for index, name in _repeated(blocks, "block_id")
    ]
    return problems + list(_totals([block for _, block in located], pointer))


def check_view(view: Any, *, plan: bool = True) -> list[Problem]:
    """The rules that a view breaks."""
    if not isinstance(view, dict):
        return [Problem("/view", "must provide an object")]
    shape = VIEWS.get(str(view.get("type")))
    if shape is None:
        return [Problem("/view/type", "must be one of: modal, home")]
    # Apps read views and send them back with fields that Slack has added; these are accepted if empty.
    fields = {name: value for name, value in view.items() if value is not None}
    problems = list(shape.check(fields, "/view"))
    blocks = fields.get("blocks", [])
    problems += check_blocks(blocks, str(view["type"]), "/view/blocks", plan=plan)
    has_input = any(isinstance(block, dict) and block.get("type") == "input" for block in blocks)
    if view["type"] == MODAL and "submit" not in fields and has_input:
        problems.append(Problem("/view", "missing required field: submit (a modal with input blocks needs one)"))
    return problems


def walk(blocks: list[Any], pointer: str = "/blocks") -> Iterator[tuple[str, Json]]:
    """Every block with its JSON pointer, those inside containers too."""
    for index, block in enumerate(blocks):
        if isinstance(block, dict):
            yield f"{pointer}/{index}", block
            if isinstance(children := block.get("child_blocks"), list):
                yield from walk(children, f"{pointer}/{index}/child_blocks")


def _totals(blocks: list[Json], pointer: str) -> Iterator[Problem]:
    counts = Counter(block["type"] for block in blocks)
    if sum(counts[name] for name in ONE_A_MESSAGE["table"]) > 1:
        yield Problem(pointer, ONLY_ONE_TABLE)
    if counts["plan"] > 1:
        yield Problem(pointer, "only one plan block is allowed in a message")
    if counts["data_visualization"] > MOST_CHARTS:
        yield Problem(pointer, f"no more than {MOST_CHARTS} data_visualization blocks allowed")
    if sum(len(str(block.get("text", ""))) for block in blocks if block["type"] == "markdown") > MOST_MARKDOWN:
        yield Problem(pointer, f"markdown blocks must be less than {MOST_MARKDOWN + 1} characters together")
    for block in blocks:
        if block["type"] in ONE_A_MESSAGE["table"] and _table_text(block) > MOST_TABLE_TEXT:
            yield Problem(pointer, f"table cells must be less than {MOST_TABLE_TEXT + 1} characters together")


def _table_text(table: Json) -> int:
    return sum(len(plain(cell)) for row in _list_in(table, "rows") if isinstance(row, list) for cell in row)


def plain(value: Any) -> str:
    """The text in a piece of Block Kit, in order, without its structure."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(plain(each) for each in value)
    if isinstance(value, dict):
        return next((plain(value[name]) for name in ("text", "elements", "value") if name in value), "")
    return "" if value is None else str(value)
