"""The Block Kit rules, each by the message that a developer gets."""

from typing import Any

import pytest

from sandbox.slack.blocks import HOME, MESSAGE, MODAL, check_blocks, check_view
from sandbox.tests.contract.slack.people import Json


def words(text: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": text}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "go", "text": words("Go"), **more}


def option(name: str = "a") -> Json:
    return {"text": words(name), "value": name}


def raw(text: str) -> Json:
    return {"type": "raw_text", "text": text}


SECTION: Json = {"type": "section", "text": words("x", "mrkdwn")}
TASK: Json = {"type": "task_card", "task_id": "1", "title": "Create", "status": "complete"}
ROW: Json = {"type": "actions", "elements": [button()]}
CONFIRM: Json = {"title": words("t"), "text": words("x"), "confirm": words("y"), "deny": words("n")}
CARD: Json = {"type": "card", "title": words("x")}
INPUT: Json = {"type": "input", "label": words("Name"), "element": {"type": "plain_text_input", "action_id": "n"}}

BROKEN: list[tuple[Json, str, str]] = [
    ({"type": "section"}, "/blocks/0", "must define at least one of: text, fields"),
    ({"type": "section", "text": words("x" * 3001)}, "/blocks/0/text/text", "must be less than 3001 characters"),
    ({"type": "section", "text": words("")}, "/blocks/0/text/text", "must be more than 0 characters"),
    ({"type": "section", "fields": [words("x")] * 11}, "/blocks/0/fields", "no more than 10 items allowed"),
    (
        {"type": "section", "fields": [words("x" * 2001)]},
        "/blocks/0/fields/0/text",
        "must be less than 2001 characters",
    ),
    ({**SECTION, "colour": "red"}, "/blocks/0", "invalid additional property: colour"),
    ({**SECTION, "block_id": "x" * 256}, "/blocks/0/block_id", "must be less than 256 characters"),
    ({**SECTION, "accessory": INPUT["element"]}, "/blocks/0/accessory/type", "unsupported type: plain_text_input"),
    ({"type": "header", "text": words("x" * 151)}, "/blocks/0/text/text", "must be less than 151 characters"),
    ({"type": "header", "text": words("x", "mrkdwn")}, "/blocks/0/text/type", "must be one of: plain_text"),
    ({"type": "context", "elements": [words("x")] * 11}, "/blocks/0/elements", "no more than 10 items allowed"),
    ({"type": "context", "elements": [button()]}, "/blocks/0/elements/0/type", "unsupported type: button"),
    ({"type": "actions", "elements": []}, "/blocks/0/elements", "no fewer than 1 items allowed"),
    (
        {"type": "actions", "elements": [button(action_id=str(n)) for n in range(26)]},
        "/blocks/0/elements",
        "no more than 25 items allowed",
    ),
    (
        {"type": "actions", "elements": [button(), button()]},
        "/blocks/0/elements/1/action_id",
        "`action_id` 'go' already exists",
    ),
    (
        {"type": "actions", "elements": [button(text=words("x" * 76))]},
        "/blocks/0/elements/0/text/text",
        "must be less than 76 characters",
    ),
    (
        {"type": "actions", "elements": [button(value="x" * 2001)]},
        "/blocks/0/elements/0/value",
        "must be less than 2001 characters",
    ),
    (
        {"type": "actions", "elements": [button(style="green")]},
        "/blocks/0/elements/0/style",
        "must be one of: primary, danger",
    ),
    (
        {"type": "actions", "elements": [button(confirm={**CONFIRM, "title": words("x" * 101)})]},
        "/blocks/0/elements/0/confirm/title/text",
        "must be less than 101 characters",
    ),
    (
        {"type": "actions", "elements": [button(confirm={**CONFIRM, "deny": words("x" * 31)})]},
        "/blocks/0/elements/0/confirm/deny/text",
        "must be less than 31 characters",
    ),
    (
        {"type": "actions", "elements": [{"type": "overflow", "options": [option(str(n)) for n in range(6)]}]},
        "/blocks/0/elements/0/options",
        "no more than 5 items allowed",
    ),
    (
        {"type": "actions", "elements": [{"type": "static_select", "options": [option()] * 101}]},
        "/blocks/0/elements/0/options",
        "no more than 100 items allowed",
    ),
    (
        {"type": "actions", "elements": [{"type": "static_select"}]},
        "/blocks/0/elements/0",
        "must define exactly one of: options, option_groups",
    ),
    (
        {
            "type": "actions",
            "elements": [{"type": "radio_buttons", "options": [option()], "initial_option": option("b")}],
        },
        "/blocks/0/elements/0",
        "initial option must match one of the options",
    ),
    (
        {"type": "actions", "elements": [{"type": "checkboxes", "options": [option("x" * 76)]}]},
        "/blocks/0/elements/0/options/0/text/text",
        "must be less than 76 characters",
    ),
    ({"type": "image", "image_url": "https://x.example"}, "/blocks/0", "missing required field: alt_text"),
    ({"type": "divider", "text": "x"}, "/blocks/0", "invalid additional property: text"),
    (
        {"type": "markdown", "text": "x" * 12001},
        "/blocks",
        "markdown blocks must be less than 12001 characters together",
    ),
    ({"type": "plan", "tasks": [TASK]}, "/blocks/0", "missing required field: title"),
    ({"type": "plan", "title": "x", "tasks": [TASK] * 51}, "/blocks/0/tasks", "no more than 50 items allowed"),
    ({"type": "plan", "title": "x", "tasks": [SECTION]}, "/blocks/0/tasks/0/type", "unsupported type: section"),
    (
        {**TASK, "status": "cancelled"},
        "/blocks/0/status",
        "must be one of: pending, in_progress, complete, error",
    ),
    ({**TASK, "details": "words"}, "/blocks/0/details", "must provide an object"),
    ({"type": "table", "rows": [[raw("x")]] * 101}, "/blocks/0/rows", "no more than 100 items allowed"),
    ({"type": "table", "rows": [[raw("x")] * 21]}, "/blocks/0/rows/0", "no more than 20 items allowed"),
    (
        {"type": "table", "rows": [[raw("x" * 10001)]]},
        "/blocks",
        "table cells must be less than 10001 characters together",
    ),
    (
        {"type": "data_table", "caption": "c", "rows": [[raw("a")], [raw("a"), raw("b")]]},
        "/blocks/0/rows",
        "all rows must have the same number of cells",
    ),
    ({**CARD, "body": words("x" * 201)}, "/blocks/0/body/text", "must be less than 201 characters"),
    ({**CARD, "actions": [button()] * 4}, "/blocks/0/actions", "no more than 3 items allowed"),
    ({"type": "carousel", "elements": [CARD] * 11}, "/blocks/0/elements", "no more than 10 items allowed"),
    (
        {"type": "container", "title": words("x"), "child_blocks": [{"type": "container"}]},
        "/blocks/0/child_blocks/0/type",
        "unsupported type: container",
    ),
    (
        {"type": "container", "child_blocks": [SECTION]},
        "/blocks/0",
        "must define at least one of: title, rich_text_title",
    ),
    ({"type": "alert", "text": words("x")}, "/blocks/0/type", "alert is not allowed in a message"),
    ({"type": "carrousel"}, "/blocks/0/type", "unsupported type: carrousel"),
    ({"text": "x"}, "/blocks/0", "missing required field: type"),
    (
        {"type": "section", "text": {**words("x", "mrkdwn"), "emoji": True}},
        "/blocks/0/text",
        "invalid additional property: emoji",
    ),
    ({"type": ["section"]}, "/blocks/0/type", "unsupported type: ['section']"),
    (
        {"type": "actions", "elements": [{"type": "static_select", "options": 5}]},
        "/blocks/0/elements/0/options",
        "must provide an array",
    ),
]


@pytest.mark.parametrize(("block", "pointer", "message"), BROKEN)
def test_a_broken_rule_is_named(block: Json, pointer: str, message: str) -> None:
    assert [(each.pointer, each.message) for each in check_blocks([block], MESSAGE)] == [(pointer, message)]


@pytest.mark.parametrize(("surface", "maximum"), [(MESSAGE, 50), (MODAL, 100), (HOME, 100)])
def test_a_surface_holds_so_many_blocks(surface: str, maximum: int) -> None:
    assert check_blocks([SECTION] * maximum, surface) == []
    assert check_blocks([SECTION] * (maximum + 1), surface)[0].message == f"no more than {maximum} items allowed"


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([{"type": "plan", "title": "x"}] * 2, "only one plan block is allowed in a message"),
        ([{"type": "table", "rows": [[raw("x")]]}] * 2, "only_one_table_allowed"),
        ([{"type": "markdown", "text": "x" * 7000}] * 2, "markdown blocks must be less than 12001 characters together"),
        ([{**SECTION, "block_id": "same"}] * 2, "`block_id` 'same' already exists"),
    ],
)
def test_some_rules_count_the_whole_message(blocks: list[Json], message: str) -> None:
    assert [each.message for each in check_blocks(blocks, MESSAGE)] == [message]


def test_a_table_in_a_container_counts_too() -> None:
    table = {"type": "table", "rows": [[raw("x")]]}
    container = {"type": "container", "title": words("x"), "child_blocks": [table]}

    assert [each.message for each in check_blocks([table, container], MESSAGE)] == ["only_one_table_allowed"]


@pytest.mark.parametrize("kind", ["plan", "table", "markdown", "context_actions", "card", "carousel", "container"])
def test_some_blocks_are_not_for_modals(kind: str) -> None:
    messages = [each.message for each in check_blocks([{"type": kind}], MODAL)]

    assert f"{kind} is not allowed in a modal" in messages


@pytest.mark.parametrize(
    ("view", "pointer", "message"),
    [
        ({"title": words("x" * 25)}, "/view/title/text", "must be less than 25 characters"),
        ({"private_metadata": "x" * 3001}, "/view/private_metadata", "must be less than 3001 characters"),
        ({"callback_id": "x" * 256}, "/view/callback_id", "must be less than 256 characters"),
        ({"title": None}, "/view", "missing required field: title"),
        ({"blocks": [INPUT]}, "/view", "missing required field: submit (a modal with input blocks needs one)"),
        ({"type": "workflow"}, "/view/type", "must be one of: modal, home"),
    ],
)
def test_a_view_keeps_to_rules_of_its_own(view: Json, pointer: str, message: str) -> None:
    problems = check_view({"type": "modal", "title": words("x"), "blocks": [], **view})

    assert [(each.pointer, each.message) for each in problems] == [(pointer, message)]
