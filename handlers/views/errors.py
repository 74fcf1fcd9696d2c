"""Turns errors into sentences, which nothing else does.

`explanation` says what is wrong and what to do about it, in mrkdwn; `plain` says the same without formatting;
`message` is the whole private answer to a command, with a corrected line.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.text import channel, code, count, cut, duration, escape, listed
from handlers.views import causes, refusals, watches
from handlers.views.facts import sentence, short
from services.model import errors
from services.model.errors import DomainError

_ECHO = 100
"""Longest typed text that an answer repeats, in characters."""
_BUTTON = 2000
"""Longest command that Slack lets a button hold, in characters."""
_SYSTEMS = {"azure": "Azure", "kubernetes": "The cluster", "slack": "Slack", "database": "The bot's database"}


def message(error: DomainError, request: Request, correction: str = "") -> Message:
    """The private answer to a command that ended with an error.

    `correction` is the line that the person probably meant, without the slash word, with a button that runs it.
    """
    text = explanation(error, slash=request.slash)
    if not correction:
        return Message(text, (blocks.section(text),))
    line = request.line(correction)
    sections = [blocks.section(text), blocks.rich(blocks.preformatted(line))]
    if len(correction) <= _BUTTON:
        sections.append(blocks.actions(button("Run this", runs=correction)))
    return Message(f"{text}\n{escape(line)}", tuple(sections))


def plain(error: DomainError, *, slash: str = "/registry") -> str:
    """The explanation without formatting, for a modal's field or a terminal."""
    # The mark under a fault needs a fixed-width font; the sentence before it names the fault too.
    unmarked = re.sub(r"\n```[^`]*\n *\^+```", "", explanation(error, slash=slash))
    upright = re.sub(r"(?<!\S)_([^_`]+)_(?!\w)", r"\1", unmarked)
    parts = re.split(r"(`+[^`]+`+)", re.sub(r"<[@#]([^>|]+)(?:\|[^>]*)?>", r"\1", upright))
    text = "".join(part.strip("`") if part.startswith("`") else part.replace("*", "") for part in parts)
    return cut(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), 1500)


def explanation(error: DomainError, *, slash: str = "/registry") -> str:  # noqa: PLR0911 - one per class
    """What is wrong, on which side, and what to do."""
    match error:
        case errors.NotFound():
            return _not_found(error, slash)
        case errors.Invalid():
            return _invalid(error, slash)
        case errors.Denied():
            return _denied(error, slash)
        case errors.Stale(state="changed"):
            return f"The plan of {code(error.operation)} has changed. Read its card again before you decide."
        case errors.Stale():
            consequence = ", so this is no longer possible."
            if required := _STATES.get(error.wanted):
                consequence = f". This is only possible for an operation that {required}."
            state = _STATES.get(error.state, f"is {error.state}")
            return f"{code(error.operation)} {escape(state)}{consequence}"
        case errors.DatabaseAway():
            return (
                f"The bot's own database does not answer: {escape(error.reason)}. Running operations continue when it"
                " does. Try again in a minute; if the problem lasts, tell whoever runs the bot."
            )
        case errors.Foreign():
            return _foreign(error)
        case errors.Failure():
            return _failure(error)
    return f"Something went wrong that the bot can't explain ({code(type(error).__name__)})."


# --- what people typed ----------------------------------------------------------------------------------------------


def _not_found(error: errors.NotFound, slash: str) -> str:
    existing = f"There {'is only' if len(error.known) == 1 else 'are'} {listed(map(code, error.known))}."
    existing = existing if error.known else ""
    if not error.name:
        return f"The {escape(error.kind)} has no name. {existing}".rstrip()
    text = f"There is no {escape(error.kind)} {code(cut(error.name, _ECHO))}."
    if error.near:
        prefix = f"{slash} " if error.kind == "command" else ""
        return f"{text} Did you mean {listed((code(prefix + name) for name in error.near), 'or')}?"
    hints: Mapping[errors.NameKind, str] = {
        "command": f"{code(slash + ' help')} lists what you can run.",
        "option": f"{code(slash + ' help COMMAND')} lists the options of a command.",
        "site": "Sites are defined in the site file.",
        "operation": f"{code(slash + ' operation list')} shows the newest operations.",
        "alert": f"{code(slash + ' alert list')} shows the open alerts.",
        "watch": f"{code(slash + ' watches')} shows this channel's watches.",
    }
    return f"{text} {existing or hints.get(error.kind, '')}".rstrip()


_Rule = Callable[[str, str, Mapping[str, Any]], str]


def _usage(facts: Mapping[str, Any]) -> str:
    return f" Usage: {code(str(facts['usage']))}" if facts.get("usage") else ""


_TYPES = {"int": "a whole number", "float": "a number", "timedelta": "a duration such as `2h`"}


def _bounds(field: str, _: str, facts: Mapping[str, Any]) -> str:
    value, low, high = (duration(facts[name]) for name in ("value", "low", "high"))
    return f"{value} is out of range: {field} takes {low} to {high}."


RULES: Mapping[errors.InvalidRule, _Rule] = {
    **watches.RULES,
    "missing": lambda field, _, facts: f"{field} is missing.{_usage(facts)}",
    "no_value": lambda field, _, facts: f"{field} needs a value after it.{_usage(facts)}",
    "repeated": lambda field, _, __: f"{field} appears twice, but takes one value.",
    "extra": lambda _, value, facts: (
        f"Unexpected {'argument' if len(facts.get('words', ())) < 2 else 'arguments'} {code(value)}.{_usage(facts)}"  # noqa: PLR2004 - plural
    ),
    "quote.open": lambda _, __, facts: f"A quote ({code(str(facts['mark']))}) is opened but not closed.",
    "text.too_long": lambda _, __, facts: f"This command is too long: at most {facts['most']:,} characters.",
    "moment.pattern": lambda field, value, _: (
        f"{code(value)} does not fit {field}, which takes how long ago, such as `7d` or `12h`, a day such as"
        " `2026-11-30`, or a time such as `2026-11-30T14:00`."
    ),
    "moment.future": lambda field, value, _: f"{field} takes a moment in the past; {code(value)} has not come yet.",
    "audit.too_many": lambda field, _, facts: (
        f"{field} sends at most {facts['most']:,} rows, and these are {facts['rows']:,}. Narrow them with `--since`, or"
        " run `python -m bot audit export` on the bot's machine, which has no limit."
    ),
    "choice": lambda field, value, facts: (
        f"{code(value)} is not a valid value of {field}. Use {listed(map(code, facts['choices']), 'or')}."
    ),
    "type": lambda field, value, facts: (
        f"{code(value)} does not fit {field},"
        f" which takes {_TYPES.get(str(facts.get('type')), 'another kind of value')}."
    ),
    "name.pattern": lambda _, value, __: (
        f"{code(value)} can't be the name of a connected registry."
        " Use 5 to 40 lowercase letters and digits, beginning with a letter."
    ),
    "confirm.differs": lambda _, value, facts: (
        f"{code(value)} is not the name that is to be confirmed: type {code(str(facts.get('name', '')))}."
        if value
        else f"Nothing is removed without confirmation: add {code('--confirm ' + str(facts.get('name', '')))}."
    ),
    "update.nothing": lambda _, __, ___: (
        "Nothing is to change. Name at least one setting: `--schedule`, `--window`, `--message-ttl`, `--log-level`,"
        " `--notification`, `--no-notifications`, `--gc`, `--gc-schedule`, `--add-client-token` or"
        " `--remove-client-token`."
    ),
    "notification.pattern": lambda _, value, __: (
        f"{code(value)} is not a notification. Use `NAME:ACTION` or `NAME:TAG:ACTION` with the action `push`, `delete`"
        " or `*`, such as `hello-world:push`."
    ),
    "notification.both": lambda field, _, __: f"{field} and `--notification` contradict each other: leave one out.",
    "client_token.both": lambda field, value, _: (
        f"{code(value)} stands in {field} and in `--remove-client-token`: leave it out of one of them."
    ),
    "address.pattern": lambda field, value, _: f"{code(value)} is not an IP address, which {field} takes.",
    "repository.pattern": lambda _, value, __: (
        f"{code(value)} is not a repository. Use lowercase without a tag, such as `hello-world` or `team/app`."
    ),
    "repositories.none": lambda field, _, facts: (
        f"Nothing would be synced. Name at least one repository with {field}, or set `sync.repositories` for the site"
        f" {code(str(facts.get('site', '')))}."
    ),
    "image.source": lambda _, value, __: (
        f"{code(value)} does not name a registry and a repository, such as `mcr.microsoft.com/hello-world:latest`."
    ),
    "extension_update.nothing": lambda _, __, ___: (
        "Nothing is to change. Name at least one: `--version`, `--release-train`, `--auto-upgrade`, `--tls`,"
        " `--trust-distribution`, `--trust-node-selector`, `--service-type` or `--dns-name`."
    ),
    "auto_upgrade.pinned": lambda field, _, __: (
        f"A version that is named is kept, so {field} can't be `on` with it. Leave one of the two out."
    ),
    "tls_secret.with_tls": lambda field, _, __: (
        f"{code('--tls secret')} and {field} belong together: the second names a Secret in the namespace of the"
        " extension."
    ),
    "dns_name.pattern": lambda field, value, _: (
        f"{code(value)} is not a DNS name. {field} takes one such as `edge01.example.com`."
    ),
    "tls_secret.pattern": lambda _, value, __: f"{code(value)} can't be the name of a Secret.",
    "rollback.nothing": lambda _, value, __: (
        f"{code(value)} has made nothing that a rollback takes back: a connected registry, its extension, its sync"
        " token, its scope map, or rights in scope maps."
    ),
    "image.twice": lambda _, value, __: (
        f"Two of these images would become {code(value)}. Import them one by one, or without `--repository`."
    ),
    "source_registry.pattern": lambda field, value, _: (
        f"{code(value)} is not the ARM id of a registry, which {field} takes: `az acr show --query id` shows it."
    ),
    "location.none": lambda field, _, facts: (
        f"In which Azure region? Give {field}, such as `westeurope`, or set `acr.create_in` of {code(facts['site'])}"
        " in the site file."
    ),
    "namespace.unknown": lambda _, value, facts: (
        f"Connected registries don't need {code(value)}, so the bot does not register it."
        f" They need {listed(map(code, facts['choices']))}."
    ),
    "site_file.rule": lambda _, value, facts: f"{code(value)} does not do: {escape(facts['reason'])}.",
    "mode.unknown": lambda field, value, _: f"{code(value)} is not a mode. {field} takes `ReadOnly` or `ReadWrite`.",
    "schedule.pattern": lambda _, value, __: (
        f"{code(value)} is not a schedule. Use five fields in UTC, such as `0 3 * * *` for every night at 03:00."
    ),
    "window.missing": lambda field, _, facts: (
        f"The schedule {code(str(facts.get('schedule', '')))} needs {field}, the time a sync may take, such as `3h`."
    ),
    "site.ambiguous": lambda _, value, facts: (
        f"Several cloud registries have a connected registry {code(value)}. Name the site with `--site`:"
        f" {listed(map(code, facts.get('sites', ())), 'or')}."
    ),
    "url.https": lambda field, value, _: f"{code(value)} does not fit {field}, which takes an https:// address.",
    "identity.kind": lambda _, value, facts: (
        f"{code(value)} is not a kind of identity. Use {listed(map(code, facts.get('known', ())), 'or')}."
    ),
    "identity.value": lambda _, value, facts: (
        f"The settings of the identity {code(value)} are not valid: {escape(str(facts.get('message', '')))}"
    ),
    "connection_string.empty": lambda _, __, ___: "A part of the connection string is empty, so it can't be built.",
    "connection_string.character": lambda _, value, __: (
        f"{code(value)} has a character that is not allowed in a connection string."
    ),
    "identity.incomplete": lambda _, value, __: (
        f"The identity {code(value)} needs more settings; `python -m bot check-config` names them."
    ),
    "window.bounds": _bounds,
    "expires.short": lambda field, _, facts: (
        f"{duration(facts['value'])} is too short: {field} takes {duration(facts['low'])} or longer, such as `90d`."
    ),
    "message_ttl.bounds": _bounds,
    "storage_request.pattern": lambda field, value, _: (
        f"{code(value)} is not a size. {field} takes one such as `250Gi`."
    ),
    "number.bounds": lambda field, value, facts: (
        f"{code(value)} is out of bounds: {field} takes {facts['low']} to {facts['high']}."
    ),
    "workload.pattern": lambda _, value, __: (
        f"{code(value)} can't be the name of a workload. Use up to 40 lower-case letters and digits, a letter first,"
        " with dashes inside."
    ),
    "namespace.pattern": lambda _, value, __: f"{code(value)} can't be the name of a namespace.",
    "image.pattern": lambda _, value, __: (
        f"{code(value)} is not an image. Use a repository with a tag or a digest, such as `hello-world:latest`."
    ),
    "image.host": lambda _, value, __: (
        f"{code(value)} names a host. Leave it out: the image comes from the connected registry's own address."
    ),
    "extension_name.pattern": lambda _, value, __: (
        f"{code(value)} can't be the name of an extension."
        " Use up to 53 lowercase letters and digits, with dashes inside."
    ),
}


def _invalid(error: errors.Invalid, slash: str) -> str:
    facts, value, usage = error.facts, cut(error.value, _ECHO), error.facts.get("usage")
    field = code("--" + error.field_name.replace("_", "-")) if error.field_name else "A value"
    if facts.get("positional"):
        field = f"The {error.field_name.replace('_', ' ')}"
    if rule := RULES.get(error.rule):
        return rule(field, value, {**facts, "usage": f"{slash} {usage}" if usage else ""})
    values = ", ".join(f"{name}: {fact}" for name, fact in facts.items())
    reason = escape(f"{error.rule}; {values}" if values else error.rule)
    return f"{code(value)} is not a valid value of {field} ({reason})."


# --- what they may --------------------------------------------------------------------------------------------------


DENIALS: Mapping[errors.DenialRule, str] = {
    "external": "This bot works only for members of its own workspace.",
    "guest": "Guests can't do this unless the access file names them.",
    "channel.shared": (
        "People from other organisations can read this channel, so the bot does not answer here. Use another one."
    ),
    "channel.not_member": (
        "The bot is not in this channel, so it could not report the progress here. Invite it (type `/invite` and choose"
        " the app), then run the command again."
    ),
    "channel": "You may do this ({permission}), but not in this channel. Use {channels}.",
    "site": "You may do this elsewhere, but not at {place}: you need {permission} there.{roles}",
    "permission": "This needs {permission}, which you don't have.{roles} {whoami} shows what you have.",
    "denial": "The denial {rule} in the access file forbids this ({permission}).",
    "approval.self": "You requested this, so somebody else has to approve it (rule {rule}).",
    "approval.not_approver": "The rule {rule} leaves this decision to {approvers}.",
    "approval.twice": "You have already decided about this request. It is waiting for somebody else.",
    "approval.expired": "This request has expired. Run the command again for a new one.",
    "approval.unseen": (
        "This needs an approval from {approvers} (rule {rule}), and none of them reads this conversation."
        " Run the command in a channel that they read."
    ),
    "approval.nobody": (
        "Too few people could approve this: the rule {rule} needs {needed}, but only {able} could approve."
        " More approvers have to be added to the access file."
    ),
}
"""By rule of the policy."""


def _denied(error: errors.Denied, slash: str) -> str:
    template = DENIALS.get(error.rule)
    if template is None:
        return f"The access file does not allow this (rule {code(error.rule)})."
    facts = error.facts
    roles = listed((f"*{role}*" for role in facts.get("roles", ())), "or")
    return template.format(
        permission=code(str(facts.get("permission", ""))),
        rule=f"*{escape(str(facts.get('name', '')))}*",
        roles=f" The role {roles} includes it; the access file grants roles." if roles else "",
        channels=listed(map(channel, facts.get("channels", ())), "or"),
        place=f"{code(str(facts.get('site')))} ({escape(str(facts.get('environment')))})",
        whoami=code(f"{slash} whoami"),
        approvers=listed(map(code, facts.get("approvers", ())), "or"),
        needed=count(facts.get("count", 1), "approver"),
        able=facts.get("able", 0),
    )


_STATES = {
    "planning": "is still being planned",
    "blocked": "was stopped by its checks",
    "waiting": "is waiting for approval",
    "queued": "is waiting for its turn",
    "running": "is running",
    "succeeded": "has succeeded",
    "failed": "has failed",
    "stopped": "has failed or was cancelled",
    "cancelled": "was cancelled",
    "rejected": "was rejected",
    "expired": "has expired",
    "previewed": "was a preview only",
}


# --- the outside ----------------------------------------------------------------------------------------------------


def _foreign(error: errors.Foreign) -> str:
    system = _SYSTEMS.get(error.service, escape(error.service))
    target = code(short(error.target)) if error.target else "it"
    refusal = refusals.words(type(error).__name__, error.reason)
    if refusal is None:
        sentences = [_happened(error, system, target)]
    else:
        facts = {item.name: getattr(error, item.name) for item in fields(error)} | {"target": short(error.target)}
        sentences = [sentence(f"{refusal.sentence} {refusal.remedy}".replace("SYSTEM", system), facts)]
    if answer := ": ".join(filter(None, [error.code, cut(error.message, 600)])):
        sentences.append(f"Its answer: _{escape(answer).replace('_', ' ')}_")
    if error.correlation_id:
        sentences.append(f"Correlation id for support: {code(error.correlation_id)}.")
    return " ".join(sentences)


def _happened(error: errors.Foreign, system: str, target: str) -> str:  # noqa: PLR0911 - one per class
    match error:
        case errors.Unreachable():
            return f"{system} could not be reached, so the state of {target} is unknown. Try again soon."
        case errors.NotAuthenticated():
            return (
                f"{system} rejects the bot's own identity (when reading {target}). Your own rights are not the problem:"
                " whoever runs the bot has to renew its credentials."
            )
        case errors.NotAllowed():
            place = f" at {code(short(error.scope))}" if error.scope else ""
            right = f" (it lacks {code(error.action)}{place})" if error.action else ""
            return (
                f"The bot's own identity may not do this to {target}{right}. Your own rights are not the problem:"
                " whoever runs the bot has to grant it that right."
            )
        case errors.Throttled():
            wait = f" in {error.retry_after:.0f} s" if error.retry_after else " later"
            return f"{system} is throttling the bot's requests ({target}). Try again{wait}."
        case errors.Absent():
            return f"{system} says that {target} does not exist."
        case errors.AddressTaken():
            return f"{code(error.address)} is in use by another Service of the cluster."
        case errors.AddressOutside():
            ranges = listed(map(code, error.ranges))
            return f"{code(error.address)} is outside the cluster's Service ranges ({ranges})."
        case errors.Conflict():
            return f"{system} reports a conflict: {target} already exists or is busy with another change."
        case errors.Refused():
            return f"{system} refused this for {target}."
    return f"Something went wrong between the bot and {system} ({target})."


def _failure(error: errors.Failure) -> str:
    words = causes.render(error)
    correlation = f" Correlation id {code(error.correlation_id)}." if error.correlation_id else ""
    return f"{words.sentence} {words.remedy}{correlation}"


# --- the bot's own --------------------------------------------------------------------------------------------------


def ours(reference: str) -> Message:
    """A fault of the bot itself."""
    text = f"This is the bot's fault, not yours. Its log has the details under {code(reference)}."
    return Message(text, (blocks.section(text),))


def too_long(seconds: float, reference: str) -> Message:
    """The deadline ran out."""
    text = (
        f"There was no answer within {seconds:.0f} s, so the bot stopped waiting. It does not know of any change."
        f" Try again soon. (Reference {code(reference)})"
    )
    return Message(text, (blocks.section(text),))


def form_too_late() -> Message:
    """Slack opens a form only within three seconds."""
    text = "Opening the form took longer than Slack allows. Please try again."
    return Message(text, (blocks.section(text),))


def too_fast(per_minute: int, wait: float) -> Message:
    """Somebody has run as many commands as one person may; `wait` is how many seconds it takes until the next one."""
    again = duration(timedelta(seconds=math.ceil(wait)))
    text = f"That was not run: one person can run {count(per_minute, 'command')} a minute. Try again in {again}."
    return Message(text, (blocks.section(text),))


def busy() -> Message:
    """The process is handling as many requests as it can."""
    text = "The bot is busy. Please try again in a moment."
    return Message(text, (blocks.section(text),))
