"""A rollback, as people read it: what goes, what comes back, and why anything stays."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from handlers.kit.language import phrase, t
from handlers.kit.text import code, escape, listed
from handlers.views.facts import sentence
from handlers.views.procedures import extension_update, remove, update, workload
from handlers.views.procedures.words import FindingWords, StepWords
from services.model.operation import Operation
from services.operations.rollback.request import Code, Reason, RollbackOptions
from services.policy.sites import synced_repositories


def _rights(params: Mapping[str, Any]) -> str:
    """The repositories and the connected registries that actions are about."""
    repositories = synced_repositories(map(str, params["actions"]))
    gateways = {str(action).split("/")[1] for action in params["actions"] if str(action).startswith("gateway/")}
    parts = (
        t("the rights to {repositories}", repositories=listed(repositories)) if repositories else "",
        t("the gateway rights of {gateways}", gateways=listed(sorted(gateways))) if gateways else "",
    )
    return listed(filter(None, parts))


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    if isinstance(operation.options, RollbackOptions):
        yield t("Taken back"), t("what {operation} had done", operation=code(operation.options.operation))
    yield from remove.deleted_fields(operation)
    for step in operation.planned:
        words = _STEPS.get(step.kind)
        if step.kind in {"scope_map.narrow", "scope_map.widen"}:
            rights, name = _rights(step.params), str(step.params["name"])
            gets = step.kind == "scope_map.widen"
            yield (
                t("Scope map"),
                escape(
                    t("{name} gets back {rights}", name=name, rights=rights)
                    if gets
                    else t("{name} loses {rights}", name=name, rights=rights)
                ),
            )
        elif words is not None and step.kind in _RESTORED:
            text = f"{t(words.title, **step.params)}: {words.details_of(step.params)}"
            yield t(_RESTORED[step.kind]), escape(text.removesuffix(": "))


_RESTORED: Mapping[str, str] = {
    "connected.update": phrase("Changed back"),
    "connected.client_tokens": phrase("Changed back"),
    "extension.update": phrase("Changed back"),
    "workload.put": phrase("Changed back"),
    "workload.delete": phrase("Deleted"),
    "pull_secret.delete": phrase("Deleted"),
    "client_password.end": phrase("Deleted"),
    "client_token.unlink": phrase("Changed back"),
    "client_token.delete": phrase("Deleted"),
    "client_scope_map.delete": phrase("Deleted"),
}
"""Labels of what a removal of a connected registry does not have, by kind of step."""
_STEPS: Mapping[str, StepWords] = {
    **update.WORDS.steps,
    **extension_update.WORDS.steps,
    **workload.DELETE_WORDS.steps,
    "workload.put": workload.DEPLOY_WORDS.steps["workload.put"],
    "workload.rolled_out": StepWords("Every Pod of {workload} has its earlier pull secret"),
    "client_password.end": StepWords("Pull secret {secret}", "with the password of {token} in it"),
    **remove.WORDS.steps,
    "scope_map.narrow": StepWords("Scope map {name}", lambda params: t("loses {rights}", rights=_rights(params))),
    "scope_map.widen": StepWords("Scope map {name}", lambda params: t("gets back {rights}", rights=_rights(params))),
}

REASONS: Mapping[str, FindingWords] = {
    Reason.SHARED: FindingWords(
        "Resource providers, the cloud registry with its data endpoint, and images stay, since others may use them."
    ),
    Reason.DELETED: FindingWords(
        "What was deleted does not come back: its passwords, and what was on its volume, are gone."
    ),
    Reason.PASSWORD: FindingWords(
        "A password that was replaced does not come back: nobody can read the earlier one.",
        "A retry goes on with the new one.",
    ),
    Reason.ACTIVATION: FindingWords(
        "A deactivation is not taken back: only a runtime at the edge activates a connected registry, and does so by"
        " itself when it starts."
    ),
    Reason.SYNC: FindingWords("A sync is not taken back: it brings the edge what the cloud has."),
    Reason.OF_ROLLBACK: FindingWords(
        "A rollback is not taken back.",
        "A retry goes on with it; the first command, given again, makes again what is gone.",
    ),
    Reason.PARTS: FindingWords("Parts of an operation stay.", "Roll each of them back by its own id."),
    Reason.FORMER_UNKNOWN: FindingWords(
        "These were there before and were changed, and nobody recorded how they were, so that they stay: {parts}."
    ),
    Reason.NO_FORMER_VALUE: FindingWords(
        "These settings had no value before, and Azure takes none back, so that they stay: {parts}."
    ),
    Reason.CERTIFICATE: FindingWords(
        "The certificate that {parts} had before is a secret that nobody can read, so that its settings stay.",
        "`extension update` gives it another one.",
    ),
    Reason.VERSION: FindingWords(
        "{parts} upgrades by itself again, and takes its version from its release train: not the earlier one."
    ),
    Reason.PASSWORD_LEFT: FindingWords(
        "The new password of the client token {parts} stays valid until another one takes its place; nobody has it."
    ),
    Reason.SYNC_PASSWORD_LEFT: FindingWords(
        "The sync password that the extension was given stays valid, and nobody has it when the extension is gone."
        " Unless somebody has made another one in its place since, this ends it: {parts}."
    ),
    Reason.CHANGED_SINCE: FindingWords("Somebody has changed these since, so that they stay as they are: {parts}."),
    Reason.RIGHTS_KEPT: FindingWords(
        "Other connected registries are nested too, and may sync by the rights to these repositories, so that the"
        " scope maps above keep them: {parts}."
    ),
    Reason.TOKEN_IN_USE: FindingWords(
        "Other connected registries list the client token by now, so that it stays: {parts}."
    ),
    Reason.SCOPE_MAP_IN_USE: FindingWords("Other tokens have the scope map by now, so that it stays: {parts}."),
}
"""Why something stays, by reason."""


def reasons(codes: Iterable[str]) -> str:
    """Why an operation can't be taken back at all."""
    words = [REASONS[reason] for reason in codes]
    return " ".join(t(text) for one in words for text in (one.sentence, one.fix) if text)


def _nothing(operation: Operation) -> str:
    """With the reasons why something stays."""
    findings = operation.plan.findings if operation.plan else ()
    staying = [sentence(REASONS[one.code].sentence, one.facts) for one in findings if one.code in REASONS]
    if not staying:
        return t("There was nothing to take back: what the operation had done is gone already.")
    return " ".join((t("There was nothing to take back."), *staying))


WORDS = replace(
    remove.WORDS,
    title="Roll back {target} at {site}",
    success="rolled back",
    idle="nothing to take back",
    nothing=_nothing,
    steps=_STEPS,
    fields=_fields,
    findings={
        **remove.WORDS.findings,
        **REASONS,
        Code.UNCERTAIN: FindingWords(
            "Nobody knows whether the operation has made these, since it was stopped there, so that they are not"
            " deleted: {uncertain}.",
            "If one of them is left, `remove` takes it.",
        ),
        Code.IN_USE: FindingWords(
            "{name} is {state} (last seen {last_activity}): it works, and somebody may use it by now. It is deleted.",
            "To keep it, retry the operation instead.",
        ),
        Code.WORKLOAD_UNSEEN: FindingWords(
            "The bot has no access to the cluster of {site} any more (`access: none`), so it can't see the workload.",
            "Give it access in the site file, or delete the workload by hand.",
        ),
    },
)
