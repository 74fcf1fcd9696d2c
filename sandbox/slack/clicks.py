"""Clicks and choices of people: in messages, in modals and on Home tabs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.slack.blocks import OPTION, OPTION_GROUP, plain
from sandbox.slack.delivery import Delivery
from sandbox.slack.elements import EXTERNAL, HELD, chosen, every_element, label_of, option_named, options_in
from sandbox.slack.payloads import block_actions, block_suggestion
from sandbox.slack.shapes import ListOf
from sandbox.slack.undelivered import Undelivered
from sandbox.slack.values import Json, Message, NotPossible, Person, View
from sandbox.slack.workspace import Workspace

OFFERED = {"options": ListOf(OPTION, 0, 100), "option_groups": ListOf(OPTION_GROUP, 0, 100)}
FEEDBACK = ("positive_button", "negative_button")


@dataclass(frozen=True)
class Element:
    """An element and its place."""

    place: Message | View
    block: Json
    element: Json
    attachment: int | None = None

    @property
    def ids(self) -> tuple[str, str]:
        """action_id and block_id."""
        return self.element["action_id"], self.block["block_id"]


def elements_for(person: Person, place: Message | View) -> Iterator[Element]:
    """All elements of a message or view that this person can use."""
    for block, element in every_element(place.blocks):
        if person.id in element.get("visible_to_user_ids", [person.id]):
            yield Element(place, block, element)
    for attachment in place.attachments if isinstance(place, Message) else []:
        for block, element in every_element(attachment.get("blocks") or []):
            if person.id in element.get("visible_to_user_ids", [person.id]):
                yield Element(place, block, element, attachment["id"])


def find_element(person: Person, place: Message | View, request: Json) -> Element:
    """The element with that action_id, block_id or label; raises NotPossible, which lists the elements."""
    candidates = list(elements_for(person, place))
    for element in candidates:
        if _fits(element, request):
            return element
    labels = (
        ", ".join(f"[{label_of(element.block, element.element) or element.ids[0]}]" for element in candidates)
        or "nothing"
    )
    criteria = {name: request[name] for name in ("action_id", "block_id", "text") if request.get(name)}
    raise NotPossible("no_such_element", f"There is no element {criteria}. The elements are: {labels}.", status=404)


def has_element(person: Person, place: Message | View, request: Json) -> bool:
    """Whether there is such an element."""
    return any(_fits(each, request) for each in elements_for(person, place))


def _fits(element: Element, request: Json) -> bool:
    criteria = [request.get(name) for name in ("action_id", "block_id", "text")]
    if not any(criteria):
        return False
    action_id, block_id, text = criteria
    right_ids = action_id in (None, "", element.ids[0]) and block_id in (None, "", element.ids[1])
    return right_ids and (not text or text in _labels(element))


def _labels(element: Element) -> list[str]:
    kind = element.element["type"]
    if kind == "overflow":
        return [plain(option["text"]) for option in element.element["options"]]
    if kind == "feedback_buttons":
        return [plain(element.element[name]["text"]) for name in FEEDBACK]
    return [label_of(element.block, element.element)]


async def click(delivery: Delivery, person: Person, place: Message | View, request: Json) -> Json:
    """Press a button or choose in a menu; returns when the app has acknowledged. Raises NotPossible."""
    element = find_element(person, place, request)
    confirm = element.element.get("confirm")
    if confirm and request.get("confirm") is False:
        return {"ok": True, "denied": True}
    if confirm and request.get("confirm") is not True:
        raise NotPossible(
            "confirm",
            "The confirmation dialog needs an answer: confirm must be true or false.",
            extra={"confirm": confirm},
        )
    action = await _action(delivery, person, element, request)
    if element.element["type"] in HELD:
        _remember(person, element, action)
        if element.block["type"] == "input" and not element.block.get("dispatch_action"):
            return {"ok": True, "sent": False}
    payload = block_actions(delivery.slack, person, place, action, element.attachment)
    await _send(delivery, person, payload)
    return {"ok": True, **({"url": element.element["url"]} if element.element.get("url") else {})}


async def _action(delivery: Delivery, person: Person, target: Element, request: Json) -> Json:
    element, value = target.element, request.get("value")
    action: Json = {"action_id": target.ids[0], "block_id": target.ids[1], "type": element["type"]}
    for name in ("text", "value", "style", "confirm", "placeholder", "url", "icon"):
        if name in element:
            action[name] = element[name]
    if element["type"] == "overflow":
        return {**action, "selected_option": option_named(element["options"], value or request.get("text"))}
    if element["type"] == "feedback_buttons":
        label = value or request.get("text")
        for button in (element[side] for side in FEEDBACK):
            if label in (button["value"], plain(button["text"])):
                return action | {"value": button["value"], "text": button["text"]}
        raise NotPossible("no_such_option", "Name an option by its value or label.", status=404)
    if element["type"] in HELD:
        return action | chosen(element, value, await options_for(delivery, person, target, value))
    return action


def _remember(person: Person, target: Element, action: Json) -> None:
    place, (action_id, block_id) = target.place, target.ids
    state = place.state if isinstance(place, View) else place.state.setdefault(person.id, {})
    state_key = HELD[target.element["type"]][0]
    state.setdefault(block_id, {})[action_id] = {"type": target.element["type"], state_key: action[state_key]}


async def _send(delivery: Delivery, person: Person, payload: Json) -> None:
    try:
        await delivery.send("interactive", payload)
    except Undelivered as failure:
        message = f'{delivery.slack.app.name} did not answer: "{failure.error}"'
        delivery.slack.notice(person.id, message)
        raise NotPossible(failure.error, message) from None


async def options_for(delivery: Delivery, person: Person, target: Element, value: Any) -> list[Json]:
    """The options to choose from; those of an external select are requested from the app."""
    if target.element["type"] not in EXTERNAL:
        return options_in(target.element)
    names = value if isinstance(value, list) else [value]
    initial = target.element.get("initial_option")
    options = [*(target.element.get("initial_options") or []), *([initial] if initial else [])]
    for name in names:
        if isinstance(name, str) and name:
            answer = await suggestions(delivery, person, target, name)
            options += [*answer.get("options", []), *options_in(answer)]
    return options


async def suggestions(delivery: Delivery, person: Person, target: Element, typed: str) -> Json:
    """The app's options for a typed text: {"options": [..]} or {"option_groups": [..]}; raises NotPossible."""
    slack: Workspace = delivery.slack
    if len(typed) < target.element.get("min_query_length", 3):
        return {"options": []}
    try:
        answer = await delivery.send("interactive", block_suggestion(slack, person, target.place, target.ids, typed))
    except Undelivered as failure:
        raise NotPossible(failure.error, "The app gave no options.") from None
    body = answer if isinstance(answer, dict) else {}
    name = "option_groups" if body.get("option_groups") else "options"
    offered = body.get(name) or []
    if problems := list(OFFERED[name].check(offered, f"/{name}")):
        raise NotPossible("invalid_options", "; ".join(map(str, problems)))
    return {name: offered}
