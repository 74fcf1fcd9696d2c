"""A change of a connected registry's settings, as people read it."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from handlers.kit.language import phrase, t
from handlers.kit.text import duration, escape, listed
from handlers.views.procedures.words import (
    AZURE_FINDINGS,
    REGISTRY_FINDINGS,
    REGISTRY_OPTIONS,
    CauseWords,
    FindingWords,
    ProcedureWords,
    StepWords,
)
from services.model.operation import Operation
from services.operations.azure_checks import AzureCode
from services.operations.update.request import Cause, Code

MOST_NAMED = 10
"""Client tokens of a list whose names are all shown; of a longer one those that come and go."""
_SAME = phrase("all of it is as asked for")
_LABELS: Mapping[str, str] = {
    "schedule": phrase("Schedule"),
    "window": phrase("Sync window"),
    "message_ttl": phrase("Message TTL"),
    "log_level": phrase("Log level"),
    "notifications": phrase("Notifications"),
    "gc_enabled": phrase("Garbage collection"),
    "gc_schedule": phrase("Garbage collection schedule"),
    "audit_logs": phrase("Audit logs"),
}


def _value(value: object) -> str:
    match value:
        case None | "" | ():
            return t("none")
        case bool():
            return t("on") if value else t("off")
        case timedelta():
            return duration(value)
        case tuple() | list():
            return listed(map(str, value))
    return str(value)


def _changes(params: Mapping[str, Any]) -> str:
    changes = params["changes"].items()
    labels = {
        field: label[0].lower() + label[1:] for field, label in zip(_LABELS, map(t, _LABELS.values()), strict=True)
    }
    texts = [f"{labels[field]} {_value(before)} → {_value(after)}" for field, (before, after) in changes]
    return t(", ").join(texts) or t(_SAME)


def _client_tokens(params: Mapping[str, Any]) -> str:
    before, after = params["before"], params["after"]
    if before == after:
        return t(_SAME)
    changes = [f"{t(verb)} {listed(params[verb])}" for verb in (phrase("add"), phrase("remove")) if params[verb]]
    lists = f"{_value(before)} → {_value(after)}"
    if max(len(before), len(after)) > MOST_NAMED:
        lists = t("{before} → {after} client tokens", before=len(before), after=len(after))
    sync = t("; the edge learns of it with its next sync") if params["add"] else ""
    return f"{', '.join(changes)}: {lists}{sync}"


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    for step in operation.planned:
        settings = step.params.get("settings")
        for field, value in settings.items() if isinstance(settings, Mapping) else ():
            yield t(_LABELS[str(field)]), escape(_value(value))
        if step.kind == "connected.client_tokens":
            # Not the list itself: others may have changed it since the plan was made.
            yield t("Client tokens added"), escape(_value(step.params["add"]))
            yield t("Client tokens removed"), escape(_value(step.params["remove"]))


WORDS = ProcedureWords(
    title="Update {target} at {site}",
    success="updated",
    idle="nothing to change",
    steps={
        "connected.update": StepWords("Settings of {name}", _changes),
        "connected.client_tokens": StepWords("Client tokens of {name}", _client_tokens),
        "connected.updated": StepWords("{name} shows them"),
    },
    fields=_fields,
    causes={
        Cause.NOT_TAKEN: CauseWords(
            "Azure accepted the change of {name} but shows other values: {differs}.",
            "Somebody may have changed it at the same time. Look at it, then retry.",
            f"az acr connected-registry show --name {{name}} {REGISTRY_OPTIONS}",
        ),
    },
    findings={
        **REGISTRY_FINDINGS,
        **AZURE_FINDINGS,
        Code.WINDOW_MISSING: FindingWords(
            "The schedule {schedule} needs a sync window, and {name} has none.",
            "Add `--window`, such as `--window 3h`.",
        ),
        Code.NEXT_CONTACT: FindingWords("{name} takes the change over with its next contact (schedule {schedule})."),
        Code.NOT_IN_CONTACT: FindingWords(
            "{name} is {state} (last seen {last_activity}). Its runtime takes the change over at its next contact."
        ),
        AzureCode.ACTIONS_COMPLETE: FindingWords("The bot's Azure identity has the right to change it."),
        Code.CLIENT_TOKENS_EXIST: FindingWords("The cloud registry {registry} has these tokens: {tokens}."),
        Code.CLIENT_TOKENS_ABSENT: FindingWords(
            "The cloud registry {registry} has no such tokens: {tokens}.",
            "Check the names; similar ones: {near}. Create those that are missing with `az acr token create`.",
            f"az acr token list {REGISTRY_OPTIONS} --output table",
        ),
        Code.CLIENT_TOKENS_DISABLED: FindingWords(
            "These tokens are disabled: {tokens}. Nobody can pull by them.",
            "Enable them, if they were not meant to cut somebody off.",
        ),
        Code.CLIENT_TOKENS_TOO_MANY: FindingWords(
            "{name} would have {count} client tokens, and Azure takes at most {limit}.",
            "Remove some that nobody needs with `--remove-client-token`.",
            f"az acr connected-registry list-client-tokens --name {{name}} {REGISTRY_OPTIONS} --output table",
        ),
        Code.WORKLOADS_LOSE: FindingWords(
            "Workloads that the bot deployed pull by these client tokens: {workloads}. They run on with the images that"
            " their nodes have, and can't pull again.",
            "Delete them by `workload delete`, which takes their tokens along, or leave their tokens.",
        ),
        Code.NO_WORKLOAD_LOSES: FindingWords(
            "No workload that the bot deployed pulls by these client tokens. Who else does is written nowhere."
        ),
    },
)
