"""Block elements: their initial values, and their values in payloads."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.slack.blocks import plain, walk
from sandbox.slack.values import Json, NotPossible

# Element type -> (key of the value in state and actions, key of the initial value in the element).
HELD: dict[str, tuple[str, str]] = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "checkboxes": ("selected_options", "initial_options"),
    "radio_buttons": ("selected_option", "initial_option"),
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", "initial_files"),
}
EXTERNAL = ("external_select", "multi_external_select")
_LISTS = ("selected_options", "selected_users", "selected_conversations", "selected_channels", "files")


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block, including those of a carousel's cards."""
    if block["type"] == "carousel":
        return [element for card in block["elements"] for element in elements_of(card)]
    places = {"actions": "elements", "context_actions": "elements", "section": "accessory", "input": "element"}
    places["card"] = "actions"
    value = block.get(places.get(block["type"], ""))
    elements = value if isinstance(value, list) else [value]
    return [each for each in elements if isinstance(each, dict) and each.get("type") != "image"]


def every_element(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """All (block, element) pairs of interactive elements."""
    for _, block in walk(blocks):
        for element in elements_of(block):
            yield block, element


def initial_state(blocks: list[Json], here: str | None = None) -> Json:
    """The initial state.values; `here` is the conversation in which a modal was opened."""
    state: Json = {}
    for block, element in every_element(blocks):
        if element["type"] in HELD:
            key, initial = HELD[element["type"]]
            current = here if element.get("default_to_current_conversation") else None
            empty: Any = ([current] if current else []) if key in _LISTS else current
            value = {"type": element["type"], key: element.get(initial, empty)}
            state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state


def options_in(element: Json) -> list[Json]:
    """The options that an element contains, with groups flattened."""
    groups: list[Json] = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def option_named(options: list[Json], name: Any) -> Json:
    """The option with that value or label; a complete option is returned as it is. Raises NotPossible."""
    if isinstance(name, dict):
        return name
    for option in options:
        if name == option.get("value") or name == plain(option["text"]):
            return option
    offered = ", ".join(str(option.get("value") or plain(option["text"])) for option in options)
    raise NotPossible("no_such_option", f"There is no option {name!r}. There are: {offered or 'none'}.", status=404)


def chosen(element: Json, value: Any, options: list[Json]) -> Json:
    """The value of an element as in payloads and state: {"type", KEY}."""
    key, _ = HELD[element["type"]]
    if key == "selected_option":
        return {"type": element["type"], key: None if value in (None, "") else option_named(options, value)}
    if key == "selected_options":
        names = _list(value)
        return {"type": element["type"], key: [option_named(options, name) for name in names]}
    if key in _LISTS:
        return {"type": element["type"], key: _list(value)}
    if key == "selected_date_time":
        return {"type": element["type"], key: None if value in (None, "") else int(value)}
    if key == "rich_text_value" and isinstance(value, str):
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": value}]}
        return {"type": element["type"], key: {"type": "rich_text", "elements": [section]}}
    return {"type": element["type"], key: value if value in (None, "") or isinstance(value, dict) else str(value)}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value in (None, "") else [value]


def label_of(block: Json, element: Json) -> str:
    """The text that a person sees on or beside an element."""
    if element["type"] == "feedback_buttons":
        return ""
    if block["type"] == "input":
        return plain(block["label"])
    return plain(element.get("text")) or plain(element.get("placeholder"))


_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_WEB = re.compile(r"https?://\S+")


def errors_in(blocks: list[Json], state: Json) -> dict[str, str]:
    """Slack's own messages to a person before it submits: block_id -> text."""
    errors: dict[str, str] = {}
    for block, element in every_element(blocks):
        if block["type"] == "input":
            value = state.get(block["block_id"], {}).get(element["action_id"], {})
            current = value.get(HELD[element["type"]][0]) if element["type"] in HELD else None
            if error := _error(block, element, current):
                errors[block["block_id"]] = error
    return errors


def _error(block: Json, element: Json, current: Any) -> str | None:
    if current in (None, "", []):
        return None if block.get("optional") else "Please complete this required field."
    if check := _CHECKS.get(element["type"]):
        return check(element, str(current))
    maximum = element.get("max_selected_items") or element.get("max_files")
    if maximum and isinstance(current, list) and len(current) > maximum:
        return f"Please select no more than {maximum} items."
    return None


def _length_error(element: Json, text: str) -> str | None:
    least, longest = element.get("min_length") or 0, element.get("max_length") or 3000
    if len(text) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter no more than {longest} characters." if len(text) > longest else None


def _number_error(element: Json, text: str) -> str | None:
    try:
        number = float(text) if element.get("is_decimal_allowed") else int(text)
    except ValueError:
        return "Please enter a valid number."
    least, maximum = element.get("min_value"), element.get("max_value")
    if least is not None and number < float(least):
        return f"Please enter a number no less than {least}."
    return (
        f"Please enter a number no greater than {maximum}." if maximum is not None and number > float(maximum) else None
    )


_CHECKS: dict[str, Callable[[Json, str], str | None]] = {
    "plain_text_input": _length_error,
    "number_input": _number_error,
    "email_text_input": lambda _, text: None if _EMAIL.fullmatch(text) else "Please enter a valid email address.",
    "url_text_input": lambda _, text: None if _WEB.fullmatch(text) else "Please enter a valid URL.",
}
