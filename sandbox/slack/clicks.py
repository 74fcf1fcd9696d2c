"""What people press and choose: in messages, in modals and on Home tabs."""

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
    """An element where it stands."""

    place: Message | View
    block: Json
    element: Json
    attachment: int | None = None

    @property
    def ids(self) -> tuple[str, str]:
        """action_id and block_id."""
        return self.element["action_id"], self.block["block_id"]


def elements_for(person: Person, place: Message | View) -> Iterator[Element]:
    """Everything in a message or view that this person can act on."""
    for block, element in every_element(place.blocks):
        if person.id in element.get("visible_to_user_ids", [person.id]):
            yield Element(place, block, element)
    for attachment in place.attachments if isinstance(place, Message) else []:
        for block, element in every_element(attachment.get("blocks") or []):
            if person.id in element.get("visible_to_user_ids", [person.id]):
                yield Element(place, block, element, attachment["id"])


def find_element(person: Person, place: Message | View, wanted: Json) -> Element:
    """The element of that action_id, block_id or label; raises NotPossible, naming what there is."""
    there = list(elements_for(person, place))
    for each in there:
        if _fits(each, wanted):
            return each
    labels = ", ".join(f"[{label_of(each.block, each.element) or each.ids[0]}]" for each in there) or "nothing"
    asked = {name: wanted[name] for name in ("action_id", "block_id", "text") if wanted.get(name)}
    raise NotPossible("no_such_element", f"There is no element {asked}. One can act on: {labels}.", status=404)


def has_element(person: Person, place: Message | View, wanted: Json) -> bool:
    """Whether there is such an element."""
    return any(_fits(each, wanted) for each in elements_for(person, place))


def _fits(each: Element, wanted: Json) -> bool:
    asked = [wanted.get(name) for name in ("action_id", "block_id", "text")]
    if not any(asked):
        return False
    action_id, block_id, text = asked
    right_ids = action_id in (None, "", each.ids[0]) and block_id in (None, "", each.ids[1])
    return right_ids and (not text or text in _labels(each))


def _labels(each: Element) -> list[str]:
    kind = each.element["type"]
    if kind == "overflow":
        return [plain(option["text"]) for option in each.element["options"]]
    if kind == "feedback_buttons":
        return [plain(each.element[name]["text"]) for name in FEEDBACK]
    return [label_of(each.block, each.element)]


async def click(delivery: Delivery, person: Person, place: Message | View, wanted: Json) -> Json:
    """Press a button or choose in a menu; comes back when the app has acknowledged. Raises NotPossible."""
    found = find_element(person, place, wanted)
    confirm = found.element.get("confirm")
    if confirm and wanted.get("confirm") is False:
        return {"ok": True, "denied": True}
    if confirm and wanted.get("confirm") is not True:
        raise NotPossible("confirm", "The dialog wants an answer: confirm true or false.", extra={"confirm": confirm})
    action = await _action(delivery, person, found, wanted)
    if found.element["type"] in HELD:
        _remember(person, found, action)
        if found.block["type"] == "input" and not found.block.get("dispatch_action"):
            return {"ok": True, "sent": False}
    payload = block_actions(delivery.slack, person, place, action, found.attachment)
    await _send(delivery, person, payload)
    return {"ok": True, **({"url": found.element["url"]} if found.element.get("url") else {})}


async def _action(delivery: Delivery, person: Person, found: Element, wanted: Json) -> Json:
    element, value = found.element, wanted.get("value")
    action: Json = {"action_id": found.ids[0], "block_id": found.ids[1], "type": element["type"]}
    for name in ("text", "value", "style", "confirm", "placeholder", "url", "icon"):
        if name in element:
            action[name] = element[name]
    if element["type"] == "overflow":
        return {**action, "selected_option": option_named(element["options"], value or wanted.get("text"))}
    if element["type"] == "feedback_buttons":
        return action | _feedback(element, value or wanted.get("text"))
    if element["type"] in HELD:
        return action | chosen(element, value, await options_for(delivery, person, found, value))
    return action


def _feedback(element: Json, name: Any) -> Json:
    for each in (element[side] for side in FEEDBACK):
        if name in (each["value"], plain(each["text"])):
            return {"value": each["value"], "text": each["text"]}
    raise NotPossible("no_such_option", "Say which one by its value or label.", status=404)


def _remember(person: Person, found: Element, action: Json) -> None:
    place, (action_id, block_id) = found.place, found.ids
    state = place.state if isinstance(place, View) else place.state.setdefault(person.id, {})
    held = HELD[found.element["type"]][0]
    state.setdefault(block_id, {})[action_id] = {"type": found.element["type"], held: action[held]}


async def _send(delivery: Delivery, person: Person, payload: Json) -> None:
    try:
        await delivery.send("interactive", payload)
    except Undelivered as failure:
        message = f'{delivery.slack.app.name} did not answer: "{failure.error}"'
        delivery.slack.notice(person.id, message)
        raise NotPossible(failure.error, message) from None


async def options_for(delivery: Delivery, person: Person, found: Element, value: Any) -> list[Json]:
    """The options that a choice is made from; the app is asked for those of an external select."""
    if found.element["type"] not in EXTERNAL:
        return options_in(found.element)
    names = value if isinstance(value, list) else [value]
    initial = found.element.get("initial_option")
    known = [*(found.element.get("initial_options") or []), *([initial] if initial else [])]
    for name in names:
        if isinstance(name, str) and name:
            answer = await suggestions(delivery, person, found, name)
            known += [*answer.get("options", []), *options_in(answer)]
    return known


async def suggestions(delivery: Delivery, person: Person, found: Element, typed: str) -> Json:
    """What the app offers for what was typed: {"options": [..]} or {"option_groups": [..]}; raises NotPossible."""
    slack: Workspace = delivery.slack
    if len(typed) < found.element.get("min_query_length", 3):
        return {"options": []}
    try:
        answer = await delivery.send("interactive", block_suggestion(slack, person, found.place, found.ids, typed))
    except Undelivered as failure:
        raise NotPossible(failure.error, "The app gave no options.") from None
    given = answer if isinstance(answer, dict) else {}
    name = "option_groups" if given.get("option_groups") else "options"
    offered = given.get(name) or []
    if problems := list(OFFERED[name].check(offered, f"/{name}")):
        raise NotPossible("invalid_options", "; ".join(map(str, problems)))
    return {name: offered}
