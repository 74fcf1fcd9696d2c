"""Turns errors into sentences, which nothing else does.

`explanation` says what is wrong and what to do about it, in mrkdwn; `plain` says the same without formatting;
`message` is the whole private answer to a command, with a corrected line.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.language import phrase, t
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.text import channel, code, count, cut, duration, escape, listed
from handlers.views import causes, refusals, watches
from handlers.views.facts import sentence, short
from handlers.views.procedures import rollback
from services.model import errors
from services.model.errors import DomainError

_ECHO = 100
"""Longest typed text that an answer repeats, in characters."""
_BUTTON = 2000
"""Longest command that Slack lets a button hold, in characters."""
_SYSTEMS = {
    "azure": phrase("Azure"),
    "kubernetes": phrase("The cluster"),
    "slack": phrase("Slack"),
    "database": phrase("The bot's database"),
}


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
        sections.append(blocks.actions(button(t("Run this"), runs=correction)))
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
            return t(
                "The plan of {operation} has changed. Read its card again before you decide.",
                operation=code(error.operation),
            )
        case errors.Stale():
            consequence = t(", so this is no longer possible.")
            if required := t(_STATES.get(error.wanted, "")):
                consequence = t(". This is only possible for an operation that {required}.", required=required)
            state = t(_STATES[error.state]) if error.state in _STATES else t("is {state}", state=error.state)
            return f"{code(error.operation)} {escape(state)}{consequence}"
        case errors.DatabaseAway():
            return t(
                "The bot's own database does not answer: {reason}. Running operations continue when it"
                " does. Try again in a minute; if the problem lasts, tell whoever runs the bot.",
                reason=escape(error.reason),
            )
        case errors.Foreign():
            return _foreign(error)
        case errors.Failure():
            return _failure(error)
    return t("Something went wrong that the bot can't explain ({name}).", name=code(type(error).__name__))


# --- what people typed ----------------------------------------------------------------------------------------------


def _not_found(error: errors.NotFound, slash: str) -> str:
    existing = t(
        "There {are} {known}.",
        are=t("is only") if len(error.known) == 1 else t("are"),
        known=listed(map(code, error.known)),
    )
    existing = existing if error.known else ""
    if not error.name:
        return t("The {kind} has no name. {existing}", kind=escape(t(error.kind)), existing=existing).rstrip()
    text = t("There is no {kind} {error}.", kind=escape(t(error.kind)), error=code(cut(error.name, _ECHO)))
    if error.near:
        prefix = f"{slash} " if error.kind == "command" else ""
        return t(
            "{text} Did you mean {near}?", text=text, near=listed((code(prefix + name) for name in error.near), t("or"))
        )
    hints: Mapping[errors.NameKind, str] = {
        "command": t("{slash} lists what you can run.", slash=code(slash + " help")),
        "option": t(
            "{slash} lists the options of {command}.",
            slash=code(f"{slash} help {error.command}"),
            command=code(error.command),
        ),
        "site": t("Sites are defined in the site file."),
        "operation": t("{slash} shows the newest operations.", slash=code(slash + " operation list")),
        "alert": t("{slash} shows the open alerts.", slash=code(slash + " alert list")),
        "watch": t("{slash} shows this channel's watches.", slash=code(slash + " watches")),
    }
    return f"{text} {existing or hints.get(error.kind, '')}".rstrip()


_Rule = Callable[[str, str, Mapping[str, Any]], str]


def _usage(facts: Mapping[str, Any]) -> str:
    return t(" Usage: {usage}", usage=code(str(facts["usage"]))) if facts.get("usage") else ""


_TYPES = {"int": phrase("a whole number"), "float": phrase("a number"), "timedelta": phrase("a duration such as `2h`")}


def _bounds(field: str, _: str, facts: Mapping[str, Any]) -> str:
    value, low, high = (duration(facts[name]) for name in ("value", "low", "high"))
    return t("{value} is out of range: {field} takes {low} to {high}.", value=value, field=field, low=low, high=high)


RULES: Mapping[errors.InvalidRule, _Rule] = {
    **watches.RULES,
    "missing": lambda field, _, facts: t("{field} is missing.{usage}", field=field, usage=_usage(facts)),
    "no_value": lambda field, _, facts: t("{field} needs a value after it.{usage}", field=field, usage=_usage(facts)),
    "repeated": lambda field, _, __: t("{field} appears twice, but takes one value.", field=field),
    "extra": lambda _, value, facts: t(
        "Unexpected {arguments} {value}.{usage}",
        arguments=t("argument") if len(facts.get("words", ())) < 2 else t("arguments"),  # noqa: PLR2004 - plural
        value=code(value),
        usage=_usage(facts),
    ),
    "quote.open": lambda _, __, facts: t("A quote ({mark}) is opened but not closed.", mark=code(str(facts["mark"]))),
    "text.too_long": lambda _, __, facts: t(
        "This command is too long: at most {most:,} characters.", most=facts["most"]
    ),
    "moment.pattern": lambda field, value, _: t(
        "{value} does not fit {field}, which takes how long ago, such as `7d` or `12h`, a day such as"
        " `2026-11-30`, or a time such as `2026-11-30T14:00`.",
        value=code(value),
        field=field,
    ),
    "moment.future": lambda field, value, _: t(
        "{field} takes a moment in the past; {value} has not come yet.", field=field, value=code(value)
    ),
    "audit.too_many": lambda field, _, facts: t(
        "{field} sends at most {most:,} rows, and these are {rows:,}. Narrow them with `--since`, or"
        " run `python -m bot audit export` on the bot's machine, which has no limit.",
        field=field,
        most=facts["most"],
        rows=facts["rows"],
    ),
    "choice": lambda field, value, facts: t(
        "{value} is not a valid value of {field}. Use {choices}.",
        value=code(value),
        field=field,
        choices=listed(map(code, facts["choices"]), t("or")),
    ),
    "type": lambda field, value, facts: t(
        "{value} does not fit {field}, which takes {type}.",
        value=code(value),
        field=field,
        type=t(_TYPES.get(str(facts.get("type")), phrase("another kind of value"))),
    ),
    "name.pattern": lambda _, value, __: t(
        "{value} can't be the name of a connected registry."
        " Use 5 to 40 lowercase letters and digits, beginning with a letter.",
        value=code(value),
    ),
    "confirm.differs": lambda _, value, facts: (
        t(
            "{value} is not the name that is to be confirmed: type {name}.",
            value=code(value),
            name=code(str(facts.get("name", ""))),
        )
        if value
        else t(
            "Nothing is removed without confirmation: add {name}.", name=code("--confirm " + str(facts.get("name", "")))
        )
    ),
    "update.nothing": lambda _, __, ___: t(
        "Nothing is to change. Name at least one setting: `--schedule`, `--window`, `--message-ttl`, `--log-level`,"
        " `--notification`, `--no-notifications`, `--gc`, `--gc-schedule`, `--add-client-token` or"
        " `--remove-client-token`."
    ),
    "notification.pattern": lambda _, value, __: t(
        "{value} is not a notification. Use `NAME:ACTION` or `NAME:TAG:ACTION` with the action `push`, `delete`"
        " or `*`, such as `hello-world:push`.",
        value=code(value),
    ),
    "notification.both": lambda field, _, __: t(
        "{field} and `--notification` contradict each other: leave one out.", field=field
    ),
    "client_token.both": lambda field, value, _: t(
        "{value} stands in {field} and in `--remove-client-token`: leave it out of one of them.",
        value=code(value),
        field=field,
    ),
    "address.pattern": lambda field, value, _: t(
        "{value} is not an IP address, which {field} takes.", value=code(value), field=field
    ),
    "repository.pattern": lambda _, value, __: t(
        "{value} is not a repository. Use lowercase without a tag, such as `hello-world` or `team/app`.",
        value=code(value),
    ),
    "repository.wildcard": lambda _, value, __: t(
        "{value} has a wildcard. Name each repository: whether a connected registry syncs by one is not documented.",
        value=code(value),
    ),
    "sync_token.repositories": lambda field, _, __: t(
        "A connected registry syncs what the scope map of its {field} lets it, so `--repository` can't stand beside it."
        " Leave one of the two out.",
        field=field,
    ),
    "repositories.none": lambda field, _, facts: t(
        "Nothing would be synced. Name at least one repository with {field}, or set `sync.repositories` for the site"
        " {site}.",
        field=field,
        site=code(str(facts.get("site", ""))),
    ),
    "image.source": lambda _, value, __: t(
        "{value} does not name a registry and a repository, such as `mcr.microsoft.com/hello-world:latest`.",
        value=code(value),
    ),
    "extension_update.nothing": lambda _, __, ___: t(
        "Nothing is to change. Name at least one: `--version`, `--release-train`, `--auto-upgrade`, `--tls`,"
        " `--trust-distribution`, `--trust-node-selector`, `--service-type` or `--dns-name`."
    ),
    "auto_upgrade.pinned": lambda field, _, __: t(
        "A version that is named is kept, so {field} can't be `on` with it. Leave one of the two out.", field=field
    ),
    "tls_secret.with_tls": lambda field, _, __: t(
        "{option} and {field} belong together: the second names a Secret in the namespace of the extension.",
        option=code("--tls secret"),
        field=field,
    ),
    "dns_name.pattern": lambda field, value, _: t(
        "{value} is not a DNS name. {field} takes one such as `edge01.example.com`.", value=code(value), field=field
    ),
    "tls_secret.pattern": lambda _, value, __: t("{value} can't be the name of a Secret.", value=code(value)),
    "rollback.nothing": lambda _, value, __: t(
        "{value} has changed nothing, so there is nothing to take back.", value=code(value)
    ),
    "rollback.impossible": lambda _, value, facts: " ".join(
        (t("{value} can't be rolled back.", value=code(value)), rollback.reasons(facts.get("reasons", ())))
    ),
    "image.twice": lambda _, value, __: t(
        "Two of these images would become {value}. Import them one by one, or without `--repository`.",
        value=code(value),
    ),
    "source_registry.pattern": lambda field, value, _: t(
        "{value} is not the ARM id of a registry, which {field} takes: `az acr show --query id` shows it.",
        value=code(value),
        field=field,
    ),
    "location.none": lambda field, _, facts: t(
        "In which Azure region? Give {field}, such as `westeurope`, or set `acr.create_in` of {site} in the site file.",
        field=field,
        site=code(facts["site"]),
    ),
    "namespace.unknown": lambda _, value, facts: t(
        "Connected registries don't need {value}, so the bot does not register it. They need {choices}.",
        value=code(value),
        choices=listed(map(code, facts["choices"])),
    ),
    "site_file.rule": lambda _, value, facts: t(
        "{value} does not do: {reason}.", value=code(value), reason=escape(facts["reason"])
    ),
    "mode.unknown": lambda field, value, _: t(
        "{value} is not a mode. {field} takes `ReadOnly` or `ReadWrite`.", value=code(value), field=field
    ),
    "schedule.pattern": lambda _, value, __: t(
        "{value} is not a schedule. Use five fields in UTC, such as `0 3 * * *` for every night at 03:00.",
        value=code(value),
    ),
    "window.missing": lambda field, _, facts: t(
        "The schedule {schedule} needs {field}, the time a sync may take, such as `3h`.",
        schedule=code(str(facts.get("schedule", ""))),
        field=field,
    ),
    "site.ambiguous": lambda _, value, facts: t(
        "Several cloud registries have a connected registry {value}. Name the site with `--site`: {sites}.",
        value=code(value),
        sites=listed(map(code, facts.get("sites", ())), t("or")),
    ),
    "url.https": lambda field, value, _: t(
        "{value} does not fit {field}, which takes an https:// address.", value=code(value), field=field
    ),
    "identity.kind": lambda _, value, facts: t(
        "{value} is not a kind of identity. Use {known}.",
        value=code(value),
        known=listed(map(code, facts.get("known", ())), t("or")),
    ),
    "identity.value": lambda _, value, facts: t(
        "The settings of the identity {value} are not valid: {message}",
        value=code(value),
        message=escape(str(facts.get("message", ""))),
    ),
    "connection_string.empty": lambda _, __, ___: t("A part of the connection string is empty, so it can't be built."),
    "connection_string.character": lambda _, value, __: t(
        "{value} has a character that is not allowed in a connection string.", value=code(value)
    ),
    "identity.incomplete": lambda _, value, __: t(
        "The identity {value} needs more settings; `python -m bot check-config` names them.", value=code(value)
    ),
    "window.bounds": _bounds,
    "expires.short": lambda field, _, facts: t(
        "{duration} is too short: {field} takes {low} or longer, such as `90d`.",
        duration=duration(facts["value"]),
        field=field,
        low=duration(facts["low"]),
    ),
    "message_ttl.bounds": _bounds,
    "storage_request.pattern": lambda field, value, _: t(
        "{value} is not a size. {field} takes one such as `250Gi`.", value=code(value), field=field
    ),
    "number.bounds": lambda field, value, facts: t(
        "{value} is out of bounds: {field} takes {low} to {high}.",
        value=code(value),
        field=field,
        low=facts["low"],
        high=facts["high"],
    ),
    "workload.pattern": lambda _, value, __: t(
        "{value} can't be the name of a workload. Use up to 40 lower-case letters and digits, a letter first,"
        " with dashes inside.",
        value=code(value),
    ),
    "namespace.pattern": lambda _, value, __: t(
        "{value} can't be the name of a namespace. Use up to 63 lowercase letters and digits, with dashes inside.",
        value=code(value),
    ),
    "attachment.both": lambda _, __, ___: t("Paste a manifest or attach a file, not both."),
    "attachment.elsewhere": lambda _, value, __: t(
        "{name} is not in Slack but in another service, where the bot can't read it. Attach the file itself.",
        name=code(value),
    ),
    "attachment.size": lambda _, value, facts: t(
        "{name} is too large: at most {most:,} bytes.", name=code(value), most=facts["most"]
    ),
    "attachment.encoding": lambda _, value, __: t(
        "{name} is not text in UTF-8. Save it with that encoding, then attach it again.", name=code(value)
    ),
    "attachment.empty": lambda _, value, __: t("{name} is empty.", name=code(value)),
    "manifest.none": lambda _, __, ___: t("Name an image, or paste or attach a manifest."),
    "manifest.both": lambda _, __, ___: t("Name an image or paste a manifest, not both."),
    "manifest.yaml": lambda _, value, facts: (
        t("Line {line} of the manifest can't be read as YAML: {reason}.", line=facts["line"], reason=escape(value))
        if facts.get("line")
        else t("The manifest can't be read as YAML: {reason}.", reason=escape(value))
    ),
    "manifest.template": lambda _, __, ___: t(
        "The manifest is a template, with values between double braces. Render it first, such as by `helm template`,"
        " and paste the Deployment alone."
    ),
    "manifest.type": lambda _, value, __: t(
        "{place} of the manifest has a value of another form than Kubernetes takes there. A text that looks like a"
        " number or a date needs quotes; a number must have none.",
        place=code(value),
    ),
    "manifest.version": lambda _, value, __: t(
        "The manifest has the `apiVersion` {version}; a Deployment has `apps/v1`.", version=code(value)
    ),
    "manifest.alias": lambda _, value, __: t(
        "Line {line} of the manifest has an alias, or values nested too deeply. Write out what it stands for.",
        line=code(value),
    ),
    "manifest.twice": lambda _, value, __: t("The key {key} stands twice in the manifest.", key=code(value)),
    "manifest.length": lambda _, value, facts: t(
        "The manifest has {length} characters; {most} are taken.", length=code(value), most=facts["most"]
    ),
    "manifest.secret": lambda _, __, ___: t(
        "Something in the manifest looks like a password or a key. It would be stored and shown, so nothing was done."
    ),
    "manifest.kind": lambda _, value, __: t(
        "The manifest has kinds that are not deployed: {kinds}. One Deployment of `apps/v1` is.", kinds=code(value)
    ),
    "manifest.number": lambda _, value, __: t(
        "The manifest has {count} Deployments; one is needed.", count=code(value)
    ),
    "manifest.containers": lambda _, __, facts: t(
        "The manifest has {count} containers; one is needed, since one image is proven.", count=facts["count"]
    ),
    "manifest.missing": lambda _, value, __: t("The manifest lacks {place}.", place=code(value)),
    "manifest.field": lambda _, value, __: t(
        "{place} of the manifest is not let through. What reaches the node, another namespace, a Secret or the API"
        " server's credentials is refused, and so is everything that is not known to be harmless.",
        place=code(value),
    ),
    "image.pattern": lambda _, value, __: t(
        "{value} is not an image. Use a repository with a tag or a digest, such as `hello-world:latest`.",
        value=code(value),
    ),
    "image.both": lambda _, value, __: t(
        "{value} has both a tag and a digest, which may be of different images. Give one of them.", value=code(value)
    ),
    "image.host": lambda _, value, __: t(
        "{value} names a host. Leave it out: the image comes from the connected registry's own address.",
        value=code(value),
    ),
    "extension_name.pattern": lambda _, value, __: t(
        "{value} can't be the name of an extension. Use up to 53 lowercase letters and digits, with dashes inside.",
        value=code(value),
    ),
}


def _invalid(error: errors.Invalid, slash: str) -> str:
    facts, value, usage = error.facts, cut(error.value, _ECHO), error.facts.get("usage")
    field = code("--" + error.field_name.replace("_", "-")) if error.field_name else t("A value")
    if facts.get("positional"):
        field = t("The {field}", field=error.field_name.replace("_", " "))
    if rule := RULES.get(error.rule):
        return rule(field, value, {**facts, "usage": f"{slash} {usage}" if usage else ""})
    values = ", ".join(f"{name}: {fact}" for name, fact in facts.items())
    reason = escape(f"{error.rule}; {values}" if values else error.rule)
    return t("{value} is not a valid value of {field} ({reason}).", value=code(value), field=field, reason=reason)


# --- what they may --------------------------------------------------------------------------------------------------


DENIALS: Mapping[errors.DenialRule, str] = {
    "external": phrase("This bot works only for members of its own workspace."),
    "guest": phrase("Guests can't do this unless the access file names them."),
    "channel.shared": (
        phrase(
            "People from other organisations can read this channel, so the bot does not answer here. Use another one."
        )
    ),
    "channel.not_member": (
        phrase(
            "The bot is not in this channel, so it could not report the progress here. Invite it (type `/invite` and"
            " choose the app), then run the command again."
        )
    ),
    "channel.direct": (
        phrase(
            "The bot does not take part in this conversation, so it could not report the progress here. Run the command"
            " in a channel with the bot."
        )
    ),
    "channel": phrase("You may do this ({permission}), but not in this channel. Use {channels}."),
    "site": phrase("You may do this elsewhere, but not at {place}: you need {permission} there.{roles}"),
    "permission": phrase("This needs {permission}, which you don't have.{roles} {whoami} shows what you have."),
    "denial": phrase("The denial {rule} in the access file forbids this ({permission})."),
    "approval.self": phrase("You requested this, so somebody else has to approve it (rule {rule})."),
    "approval.not_approver": phrase("The rule {rule} leaves this decision to {approvers}."),
    "approval.twice": phrase("You have already decided about this request. It is waiting for somebody else."),
    "approval.expired": phrase("This request has expired. Run the command again for a new one."),
    "approval.unseen": (
        phrase(
            "This needs an approval from {approvers} (rule {rule}), and none of them reads this conversation."
            " Run the command in a channel that they read."
        )
    ),
    "approval.nobody": (
        phrase(
            "Too few people could approve this: the rule {rule} needs {needed}, but only {able} could approve."
            " More approvers have to be added to the access file, or to its user groups in Slack."
        )
    ),
}
"""By rule of the policy."""


def _denied(error: errors.Denied, slash: str) -> str:
    template = DENIALS.get(error.rule)
    if template is None:
        return t("The access file does not allow this (rule {rule}).", rule=code(error.rule))
    facts = error.facts
    roles = listed((f"*{role}*" for role in facts.get("roles", ())), t("or"))
    return t(
        template,
        permission=code(str(facts.get("permission", ""))),
        rule=f"*{escape(str(facts.get('name', '')))}*",
        roles=t(" The role {roles} includes it; the access file grants roles.", roles=roles) if roles else "",
        channels=listed(map(channel, facts.get("channels", ())), t("or")),
        place=f"{code(str(facts.get('site')))} ({escape(str(facts.get('environment')))})",
        whoami=code(f"{slash} whoami"),
        approvers=listed(map(code, facts.get("approvers", ())), t("or")),
        needed=count(facts.get("count", 1), "approver"),
        able=facts.get("able", 0),
    )


_STATES = {
    "planning": phrase("is still being planned"),
    "blocked": phrase("was stopped by its checks"),
    "waiting": phrase("is waiting for approval"),
    "queued": phrase("is waiting for its turn"),
    "running": phrase("is running"),
    "succeeded": phrase("has succeeded"),
    "failed": phrase("has failed"),
    "stopped": phrase("has failed or was cancelled"),
    "cancelled": phrase("was cancelled"),
    "rejected": phrase("was rejected"),
    "expired": phrase("has expired"),
    "previewed": phrase("was a preview only"),
}


# --- the outside ----------------------------------------------------------------------------------------------------


def _foreign(error: errors.Foreign) -> str:
    system = t(_SYSTEMS.get(error.service, escape(error.service)))
    target = code(short(error.target)) if error.target else t("it")
    refusal = refusals.words(type(error).__name__, error.reason, error.code)
    if refusal is None:
        sentences = [_happened(error, system, target)]
    else:
        facts = {item.name: getattr(error, item.name) for item in fields(error)} | {"target": short(error.target)}
        sentences = [sentence(f"{t(refusal.sentence)} {t(refusal.remedy)}".replace("SYSTEM", system), facts)]
    if answer := ": ".join(filter(None, [error.code, cut(error.message, 600)])):
        sentences.append(t("Its answer: _{answer}_", answer=escape(answer).replace("_", " ")))
    if error.correlation_id:
        sentences.append(t("Correlation id for support: {correlation_id}.", correlation_id=code(error.correlation_id)))
    return " ".join(sentences)


def _happened(error: errors.Foreign, system: str, target: str) -> str:  # noqa: PLR0911 - one per class
    match error:
        case errors.Unreachable():
            return t(
                "{system} could not be reached, so the state of {target} is unknown. Try again soon.",
                system=system,
                target=target,
            )
        case errors.NotAuthenticated():
            return t(
                "{system} rejects the bot's own identity (when reading {target}). Your own rights are not the problem:"
                " whoever runs the bot has to fix its sign-in.",
                system=system,
                target=target,
            )
        case errors.NotAllowed():
            place = t(" at {scope}", scope=code(short(error.scope))) if error.scope else ""
            right = t(" (it lacks {action}{place})", action=code(error.action), place=place) if error.action else ""
            return t(
                "The bot's own identity may not do this to {target}{right}. Your own rights are not the problem:"
                " whoever runs the bot has to grant it that right.",
                target=target,
                right=right,
            )
        case errors.Throttled():
            wait = t(" in {retry_after:.0f} s", retry_after=error.retry_after) if error.retry_after else t(" later")
            return t(
                "{system} is throttling the bot's requests ({target}). Try again{wait}.",
                system=system,
                target=target,
                wait=wait,
            )
        case errors.Absent():
            return t("{system} says that {target} does not exist.", system=system, target=target)
        case errors.AddressTaken():
            return t("{address} is in use by another Service of the cluster.", address=code(error.address))
        case errors.AddressOutside():
            ranges = listed(map(code, error.ranges))
            return t(
                "{address} is outside the cluster's Service ranges ({ranges}).",
                address=code(error.address),
                ranges=ranges,
            )
        case errors.Conflict():
            return t("{system} refused this for {target}: something is in the way.", system=system, target=target)
        case errors.Refused():
            return t("{system} refused this for {target}.", system=system, target=target)
    return t("Something went wrong between the bot and {system} ({target}).", system=system, target=target)


def _failure(error: errors.Failure) -> str:
    words = causes.render(error)
    correlation = (
        t(" Correlation id {correlation_id}.", correlation_id=code(error.correlation_id))
        if error.correlation_id
        else ""
    )
    return f"{words.sentence} {words.remedy}{correlation}"


# --- the bot's own --------------------------------------------------------------------------------------------------


def ours(reference: str) -> Message:
    """A fault of the bot itself."""
    text = t(
        "This is the bot's fault, not yours. Its log has the details under {reference}.", reference=code(reference)
    )
    return Message(text, (blocks.section(text),))


def too_long(seconds: float, reference: str) -> Message:
    """The deadline ran out."""
    text = t(
        "There was no answer within {seconds:.0f} s, so the bot stopped waiting. It does not know of any change."
        " Try again soon. (Reference {reference})",
        seconds=seconds,
        reference=code(reference),
    )
    return Message(text, (blocks.section(text),))


def form_too_late() -> Message:
    """Slack opens a form only within three seconds."""
    text = t("Opening the form took longer than Slack allows. Please try again.")
    return Message(text, (blocks.section(text),))


def form_too_full() -> Message:
    """Slack has limits for what a form is filled in with, such as a hundred choices."""
    text = t(
        "Slack can't open the form with all that was typed. Type the command with all its options, without the form."
    )
    return Message(text, (blocks.section(text),))


def closed_channel(channel_id: str, *, overheard: bool) -> Message:
    """The bot can't show in a channel what somebody asked for there; `overheard` by people of other organisations."""
    if overheard:
        text = t(
            ":warning:  People of other organisations can read {channel} by now, so the bot posts nothing there. Your"
            " operations go on. Set up your watches in another channel; the app's Home tab has your operations, and"
            " what waits for a decision.",
            channel=channel(channel_id),
        )
    else:
        text = t(
            ":warning:  The bot can't post in {channel} any more. Your operations go on. Invite it, reopen the channel,"
            " or let apps post there, and everything is shown as it is by then. Until then the app's Home tab has your"
            " operations, and what waits for a decision.",
            channel=channel(channel_id),
        )
    return Message(text, (blocks.section(text),))


def with_line(message: Message, line: str) -> Message:
    """The message with what was filled in to a form that is closed by now, as the line that says the same."""
    said = blocks.rich(t("What you filled in:"), blocks.preformatted(line))
    return replace(message, blocks=(*(message.blocks or (blocks.section(message.text),)), said))


def too_fast(per_minute: int, wait: float) -> Message:
    """Somebody has run as many commands as one person may; `wait` is how many seconds it takes until the next one."""
    again = duration(timedelta(seconds=math.ceil(wait)))
    text = t(
        "That was not run: one person can run {commands} a minute. Try again in {again}.",
        commands=count(per_minute, "command"),
        again=again,
    )
    return Message(text, (blocks.section(text),))


def busy() -> Message:
    """The process is handling as many requests as it can."""
    text = t("The bot is busy. Please try again in a moment.")
    return Message(text, (blocks.section(text),))
