"""From errors to sentences, the only place where they are made.

`explanation` says what is wrong and what to do about it, in mrkdwn; `plain` the same for places without formatting;
`message` is the whole private answer to a command, with the corrected line ready to copy.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from handlers.kit import blocks
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.text import channel, code, cut, duration, escape, listed
from handlers.kit.words import join, words
from handlers.views import causes, refusals, watches
from handlers.views.facts import sentence, short
from services.model import errors
from services.model.errors import DomainError

_ECHO = 100
"""Characters of what somebody typed that an answer repeats."""
_SYSTEMS = {"azure": "Azure", "kubernetes": "The cluster", "slack": "Slack", "database": "The bot's database"}


def message(error: DomainError, request: Request) -> Message:
    """What somebody reads whose command ended with an error: only they see it."""
    text = explanation(error, slash=request.slash)
    line = corrected(error, request)
    if not line:
        return Message(text, (blocks.section(text),))
    copyable = blocks.rich(blocks.preformatted(request.line(line)))
    return Message(f"{text}\n{request.line(line)}", (blocks.section(text), copyable))


def corrected(error: DomainError, request: Request) -> str:
    """The line that was probably meant, without the slash word; empty when nobody can say."""
    near = error.near if isinstance(error, errors.NotFound) else ()
    wrong = error.name if isinstance(error, errors.NotFound) else ""
    if isinstance(error, errors.Invalid):
        near, wrong = tuple(error.facts.get("near", ())), error.value
    if not near or not wrong:
        return ""
    said = list(words(request.text, typed=not request.said_by_click))
    if isinstance(error, errors.NotFound) and error.kind == "command":
        return _renamed(said, wrong.split(), near[0].split())
    return join(_mended(word, wrong, near[0]) for word in said)


def _renamed(said: list[str], wrong: list[str], right: list[str]) -> str:
    """The line with the command's name mended, which need not stand first: `help depoly`."""
    places = (at for at in range(len(said)) if said[at : at + len(wrong)] == wrong)
    at = next(places, None)
    return "" if at is None else join([*said[:at], *right, *said[at + len(wrong) :]])


def _mended(word: str, wrong: str, right: str) -> str:
    if word == wrong:
        return right
    if wrong.startswith("-") and word.startswith(f"{wrong}="):
        return right + word[len(wrong) :]
    option, equals, value = word.partition("=")
    return f"{option}={right}" if equals and option.startswith("-") and value == wrong else word


def plain(error: DomainError, *, slash: str = "/registry") -> str:
    """For places without formatting: a modal's field, a log's reader."""
    # A mark under a fault needs letters of one width; the sentence before it names the fault too.
    unmarked = re.sub(r"\n```[^`]*\n *\^+```", "", explanation(error, slash=slash))
    parts = re.split(r"(`+[^`]+`+)", re.sub(r"<[@#]([^>|]+)(?:\|[^>]*)?>", r"\1", unmarked))
    text = "".join(part.strip("`") if part.startswith("`") else part.replace("*", "") for part in parts)
    return cut(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), 1500)


def explanation(error: DomainError, *, slash: str = "/registry") -> str:  # noqa: PLR0911 - one a class
    """What is wrong, whose fault it is, and what to do."""
    match error:
        case errors.NotFound():
            return _not_found(error, slash)
        case errors.Invalid():
            return _invalid(error, slash)
        case errors.Denied():
            return _denied(error, slash)
        case errors.Stale():
            return _stale(error)
        case errors.Foreign():
            return _foreign(error)
        case errors.Failure():
            return _failure(error)
    return f"Something is wrong that the bot has no words for ({code(type(error).__name__)})."


# --- what people typed ----------------------------------------------------------------------------------------------


def _not_found(error: errors.NotFound, slash: str) -> str:
    known = f"What there is: {listed(map(code, error.known))}." if error.known else ""
    if not error.name:
        return f"That names no {escape(error.kind)}. {known}".rstrip()
    text = f"There is no {escape(error.kind)} {code(cut(error.name, _ECHO))}."
    if error.near:
        return f"{text} Did you mean {listed(map(code, error.near), 'or')}?"
    hints = {
        "command": f"{code(slash + ' help')} lists what you can say.",
        "option": f"{code(slash + ' help')} with the command's name behind it lists its options.",
        "site": "Sites are named in the site file.",
        "operation": f"{code(slash + ' operation list')} shows the newest.",
    }
    return f"{text} {known or hints.get(error.kind, '')}".rstrip()


_Rule = Callable[[str, str, Mapping[str, Any]], str]


def _choice(field: str, value: str, facts: Mapping[str, Any]) -> str:
    return f"{code(value)} is not one of the values of {field}: {listed(map(code, facts['choices']), 'or')}."


def _usage(facts: Mapping[str, Any]) -> str:
    return f" It is said like this: {code(str(facts['usage']))}" if facts.get("usage") else ""


_TYPES = {"int": "a whole number", "float": "a number", "timedelta": "a duration such as `2h`"}


def _type(field: str, value: str, facts: Mapping[str, Any]) -> str:
    kind = str(facts.get("type", ""))
    wanted = _TYPES.get(kind) or ("an IP address" if "Address" in kind else "a value of another kind")
    return f"{code(value)} does not fit {field}, which takes {wanted}."


def _bounds(field: str, _: str, facts: Mapping[str, Any]) -> str:
    value, low, high = (duration(facts[name]) for name in ("value", "low", "high"))
    return f"{value} is out of bounds: {field} lies between {low} and {high}."


def _extra(_field: str, value: str, facts: Mapping[str, Any]) -> str:
    meant = f" Did you mean {code(str(facts['meant']))}?" if facts.get("meant") else _usage(facts)
    return f"{code(value)} is more than this command takes.{meant}"


_RULES: Mapping[str, _Rule] = {
    **watches.RULES,
    "missing": lambda field, _, facts: f"{field} is missing.{_usage(facts)}",
    "no_value": lambda field, _, facts: f"{field} needs a value after it.{_usage(facts)}",
    "repeated": lambda field, _, __: f"{field} is there twice, and takes one value.",
    "extra": _extra,
    "unreadable": lambda _, __, facts: f"That could not be read.{_usage(facts)}",
    "quote.open": lambda _, __, facts: f"A quote ({code(str(facts['mark']))}) is opened and never closed.",
    "choice": _choice,
    "type": _type,
    "name.pattern": lambda _, value, __: (
        f"{code(value)} can't name a connected registry: 5 to 40 lower case letters and digits, a letter first."
    ),
    "name.taken": lambda _, value, __: f"{code(value)} exists already.",
    "address.outside_ranges": lambda _, value, facts: (
        f"{code(value)} is outside the cluster's Service ranges"
        f" ({listed(map(code, map(str, facts.get('ranges', ()))))})."
    ),
    "address.taken": lambda _, value, __: f"{code(value)} is in use by another Service of the cluster.",
    "address.pattern": lambda field, value, _: f"{code(value)} is no IP address, which {field} takes.",
    "repository.pattern": lambda _, value, __: (
        f"{code(value)} is no repository: lower case, such as `hello-world` or `team/app`, and without a tag."
    ),
    "repositories.none": lambda field, _, facts: (
        f"Nothing would be synced: name at least one with {field}, or set `sync.repositories` of the site"
        f" {code(str(facts.get('site', '')))}."
    ),
    "mode.unknown": lambda field, value, _: f"{code(value)} is no mode: {field} takes `ReadOnly` or `ReadWrite`.",
    "schedule.pattern": lambda _, value, __: (
        f"{code(value)} is no schedule: five fields in UTC, such as `0 3 * * *` for every night at three."
    ),
    "window.missing": lambda field, _, facts: (
        f"The schedule {code(str(facts.get('schedule', '')))} needs {field}, how long a sync may take, such as `3h`."
    ),
    "url.https": lambda field, value, _: f"{code(value)} does not fit {field}, which takes an https address.",
    "identity.incomplete": lambda _, value, __: (
        f"The identity {code(value)} lacks settings; `python -m bot check-config` names them."
    ),
    "window.bounds": _bounds,
    "message_ttl.bounds": _bounds,
    "storage_request.pattern": lambda field, value, _: f"{code(value)} is no size: {field} takes one such as `250Gi`.",
    "extension_name.pattern": lambda _, value, __: (
        f"{code(value)} can't name an extension: up to 53 lower case letters, digits and dashes inside."
    ),
}


def _invalid(error: errors.Invalid, slash: str) -> str:
    facts, value, usage = error.facts, cut(error.value, _ECHO), error.facts.get("usage")
    field = code("--" + error.field_name.replace("_", "-")) if error.field_name else "A value"
    if facts.get("positional"):
        field = f"The {error.field_name.replace('_', ' ')}"
    if rule := _RULES.get(error.rule):
        return rule(field, value, {**facts, "usage": f"{slash} {usage}" if usage else ""})
    values = ", ".join(f"{name}: {fact}" for name, fact in facts.items())
    reason = escape(f"{error.rule}; {values}" if values else error.rule)
    return f"{code(value)} does not fit {field} ({reason})."


# --- what they may --------------------------------------------------------------------------------------------------


def _denied(error: errors.Denied, slash: str) -> str:  # noqa: PLR0911 - one a rule
    facts = error.facts
    permission = code(str(facts.get("permission", "")))
    roles = listed((f"*{role}*" for role in facts.get("roles", ())), "or")
    who = f" The role {roles} has it; the access file gives roles." if roles else ""
    match error.rule:
        case "external":
            return "This bot works only for members of its own workspace."
        case "guest":
            return "Guests can't do this, unless the access file names them."
        case "channel.shared":
            return "People of other organisations read this channel, so the bot says nothing here. Ask in another one."
        case "channel.not_member":
            return (
                "The bot is not in this channel, so it could not tell here what becomes of it. Invite it (type"
                f" {code('/invite')} and choose the app), then say it again."
            )
        case "channel":
            channels = listed(map(channel, facts.get("channels", ())), "or")
            return f"You may do this ({permission}), but not in this channel. Say it in {channels}."
        case "site":
            place = f"{code(str(facts.get('site')))} ({escape(str(facts.get('environment')))})"
            return f"You may do this elsewhere, but not at {place}: it needs {permission} there.{who}"
        case "permission":
            return f"This needs {permission}, which you don't have.{who} {code(slash + ' whoami')} says what you have."
        case "denial":
            name = escape(str(facts.get("name", "")))
            return f"The access file's denial *{name}* keeps you from this ({permission})."
    return _approval_denied(error) or f"The access file does not allow this (rule {code(error.rule)})."


def _approval_denied(error: errors.Denied) -> str:
    rule = escape(str(error.facts.get("name", "")))
    match error.rule:
        case "approval.self":
            return f"You asked for this one, so somebody else has to approve it (rule *{rule}*)."
        case "approval.not_approver":
            approvers = listed(map(code, error.facts.get("approvers", ())), "or")
            return f"The rule *{rule}* leaves this to {approvers}."
        case "approval.twice":
            return "You have decided about this one already; it waits for somebody else."
        case "approval.expired":
            return "This request has expired. Say the command again to ask anew."
        case "approval.nobody":
            return (
                f"Nobody could approve this: the rule *{rule}* needs {error.facts.get('count', 1)} other than you, and"
                f" {error.facts.get('able', 0)} could. Ask for more approvers in the access file."
            )
    return ""


_DOINGS = {
    "planning": "is still being planned",
    "blocked": "was stopped by its checks",
    "waiting": "waits for approval",
    "queued": "waits for its turn",
    "running": "is running",
    "succeeded": "has succeeded",
    "failed": "has failed",
    "cancelled": "was cancelled",
    "rejected": "was rejected",
    "expired": "has expired",
    "previewed": "was a preview only",
}


def _stale(error: errors.Stale) -> str:
    if error.state == "changed":
        return f"The plan of {code(error.operation)} is another one by now. Look at its card, then decide about that."
    state = _DOINGS.get(error.state, f"is {error.state}")
    if wanted := _DOINGS.get(error.wanted):
        return f"{code(error.operation)} {escape(state)}; this can be done only to one that {wanted}."
    return f"{code(error.operation)} {escape(state)}, so this can't be done to it any more."


# --- the outside ----------------------------------------------------------------------------------------------------


def _foreign(error: errors.Foreign) -> str:
    system = _SYSTEMS.get(error.service, escape(error.service))
    target = code(short(error.target)) if error.target else "it"
    refusal = refusals.words(type(error).__name__, error.reason)
    if refusal is None:
        happened = _happened(error, system, target)
    else:
        facts = {item.name: getattr(error, item.name) for item in fields(error)} | {"target": short(error.target)}
        happened = sentence(f"{refusal.sentence} {refusal.remedy}".replace("SYSTEM", system), facts)
    return " ".join(filter(None, [happened, _own_words(error), _for_support(error)]))


def _happened(error: errors.Foreign, system: str, target: str) -> str:  # noqa: PLR0911 - one a class
    match error:
        case errors.Unreachable():
            return f"{system} could not be asked about {target}, which says nothing about {target}; try again soon."
        case errors.NotAuthenticated():
            return (
                f"{system} does not accept the bot's own identity (asked for {target}). That is not about you: whoever"
                " runs the bot has to renew its credentials."
            )
        case errors.NotAllowed():
            place = f" at {code(short(error.scope))}" if error.scope else ""
            right = f" (it lacks {code(error.action)}{place})" if error.action else ""
            return (
                f"The bot's own identity may not do this to {target}{right}. That is not about you: whoever runs the"
                " bot has to give it the right."
            )
        case errors.Throttled():
            wait = f" in {error.retry_after:.0f} s" if error.retry_after else " later"
            return f"{system} was asked too often and answers no more for a while ({target}). Try again{wait}."
        case errors.Absent():
            return f"{system} says that {target} does not exist."
        case errors.AddressTaken():
            return f"Another Service of the cluster took {code(error.address)} first."
        case errors.AddressOutside():
            ranges = listed(map(code, error.ranges))
            return f"{code(error.address)} is outside the cluster's Service ranges ({ranges})."
        case errors.Conflict():
            return f"{system} says that {target} is in the way: it exists already or is busy with something else."
        case errors.Refused():
            return f"{system} refused this for {target}."
    return f"Something went wrong between the bot and {system} ({target})."


def _own_words(error: errors.Foreign) -> str:
    said = ": ".join(filter(None, [error.code, cut(error.message, 600)]))
    return f"In its words: _{escape(said).replace('_', ' ')}_" if said else ""


def _for_support(error: errors.Foreign) -> str:
    return f"For its support: correlation id {code(error.correlation_id)}." if error.correlation_id else ""


def _failure(error: errors.Failure) -> str:
    words = causes.render(error)
    tail = f" Correlation id {code(error.correlation_id)}." if error.correlation_id else ""
    return f"{words.sentence} {words.remedy}{tail}"


# --- our own --------------------------------------------------------------------------------------------------------


def ours(reference: str) -> Message:
    """Nobody's fault but the bot's."""
    text = f"That is a fault of the bot, not yours. Whoever runs it finds it in the log by {code(reference)}."
    return Message(text, (blocks.section(text),))


def too_long(seconds: float, reference: str) -> Message:
    """The deadline ran out."""
    text = (
        f"There was no answer within {seconds:.0f} s, so the bot stopped waiting. Nothing is known to have changed; try"
        f" again soon. (Reference {code(reference)})"
    )
    return Message(text, (blocks.section(text),))


def form_too_late() -> Message:
    """Slack takes a form for three seconds after what it answers."""
    text = "That took longer than Slack lets a form wait. Please say it again."
    return Message(text, (blocks.section(text),))


def busy() -> Message:
    """More is under way than one process takes."""
    text = "Too much is going on at once; please say it again in a moment."
    return Message(text, (blocks.section(text),))
