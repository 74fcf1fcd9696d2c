"""The rotation of a sync token, as people read it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from handlers.kit.language import t
from handlers.kit.text import date, escape
from handlers.views.procedures.words import (
    AZURE_FINDINGS,
    CERTIFICATE_CAUSES,
    CERTIFICATE_FINDINGS,
    CLUSTER_OPTIONS,
    PARENT_FINDINGS,
    REGISTRY_FINDINGS,
    REGISTRY_OPTIONS,
    CauseWords,
    FindingWords,
    ProcedureWords,
    StepWords,
    certificate_details,
)
from services.model.operation import Operation
from services.operations.azure_checks import AzureCode
from services.operations.token_rotation.request import Cause, Code, InContact, RotationOptions

_SHOW = f"az acr connected-registry show --name {{name}} {REGISTRY_OPTIONS}"


def _password(params: Mapping[str, Any]) -> str:
    expires = params.get("expires")
    end = (
        t("expires {expires:%Y-%m-%d %H:%M} UTC", expires=expires)
        if isinstance(expires, datetime)
        else t("never expires")
    )
    return t(
        "{slot} of {token}, {end}; the runtime starts again with it",
        slot=params["slot"],
        token=params["token"],
        end=", ".join(filter(None, (end, certificate_details(params)))),
    )


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    for step in operation.planned:
        if step.kind == "token.rotate":
            yield t("In use"), escape(t("{slot} of {token}", slot=step.params["slot"], token=step.params["token"]))
        if step.kind == "token.end":
            yield t("Ended"), escape(t("{slot} of {token}", slot=step.params["slot"], token=step.params["token"]))
    if isinstance(operation.options, RotationOptions) and operation.options.expires:
        yield t("Expires"), date(operation.options.expires)
    if contact := operation.output(InContact):
        yield t("Last contact"), date(contact.last_activity)


WORDS = ProcedureWords(
    title="Rotate the sync token of {target} at {site}",
    success="rotated",
    steps={
        "token.rotate": StepWords("Password in the extension {name}", _password),
        "token.contact": StepWords("{name} makes contact with the new password"),
        "token.end": StepWords("Password {slot} of {token}", lambda _params: t("the old one, only after that contact")),
        "token.still_in_contact": StepWords("{name} stays in contact without the old password"),
    },
    fields=_fields,
    causes={
        **CERTIFICATE_CAUSES,
        Cause.UPDATE_FAILED: CauseWords(
            "The extension {extension} did not take the new password: it is {state} ({problems}). The old password is"
            " still valid.",
            "See to what the extension complains of.",
            f"az k8s-extension show --name {{extension}} {CLUSTER_OPTIONS}",
            retry="A retry makes another new password and sends it.",
        ),
        Cause.NO_CONTACT: CauseWords(
            "{name} has not been in contact since it got the new password: it is {state}, last seen {last_activity}"
            " (schedule {schedule}). The old password is still valid, and so is the new one.",
            "Its runtime makes contact by its schedule. If it should have done so by now, look at its log.",
            "kubectl logs --namespace connected-registry --selector app.kubernetes.io/name=connected-registry",
            retry="A retry waits for a contact again, and ends the old password after it.",
        ),
        Cause.PASSWORD_REPLACED: CauseWords(
            "Somebody has replaced {slot} of {token} since the rotation began, so {name} may work with it. It was not"
            " ended.",
            "If both passwords are to be rotated, run `token rotate` again: it plans for what is there now.",
        ),
        Cause.CUT_OFF: CauseWords(
            "{name} has not been in contact since the old password ended: it is {state}, last seen {last_activity}"
            " (schedule {schedule}). It goes on serving the images that it has.",
            "If its log says that the password is wrong, run `token rotate` again: it gets another one.",
            "kubectl logs --namespace connected-registry --selector app.kubernetes.io/name=connected-registry",
            retry="A retry only waits for a contact again.",
        ),
    },
    findings={
        **REGISTRY_FINDINGS,
        **CERTIFICATE_FINDINGS,
        **AZURE_FINDINGS,
        **PARENT_FINDINGS,
        Code.MANAGED_IDENTITY: FindingWords("{name} syncs with a managed identity and has no password to rotate."),
        Code.NOT_ACTIVATED: FindingWords(
            "{name} is not activated, so no runtime works with its password.",
            "Install its extension: that makes a new password too.",
            command="extension deploy {name} --site {site}",
        ),
        Code.GATEWAY_UNKNOWN: FindingWords(
            "Azure does not show the data endpoint of {name}, which its connection string needs.",
            "Check that the cloud registry has its data endpoint enabled.",
            _SHOW,
        ),
        Code.IN_CONTACT: FindingWords("{name} is {state}, last seen {last_activity}."),
        Code.BY_SCHEDULE: FindingWords(
            "{name} makes contact by its schedule {schedule}. If its runtime makes none when it starts again, the"
            " rotation stops after 20 minutes with both passwords valid, and Retry goes on after its next contact."
        ),
        Code.OFFLINE: FindingWords(
            "{name} is {state}, last seen {last_activity}. The new password reaches it only if the cluster works; the"
            " old one ends only after a contact."
        ),
        Code.TOKEN_FOUND: FindingWords("The sync token {token} is enabled, and only {name} uses it."),
        Code.TOKEN_ABSENT: FindingWords(
            "The sync token {token} of {name} does not exist any more, so {name} can't sync.",
            "Remove {name} and deploy it again.",
        ),
        Code.TOKEN_DISABLED: FindingWords(
            "The sync token {token} is disabled, perhaps to cut {name} off.",
            "If it was not on purpose, enable it first.",
            f"az acr token update --name {{token}} {REGISTRY_OPTIONS} --status enabled",
        ),
        Code.TOKEN_SHARED: FindingWords(
            "Others use the token {token} too, and would lose its password: {users}.",
            "Rotate it by hand, for all of them together.",
        ),
        Code.SLOT_IDLE: FindingWords("The new password goes to {slot}, which is empty."),
        Code.SLOTS_FULL: FindingWords(
            "Both passwords of the sync token exist, and Azure does not show which of them {name} works with. The older"
            " one, {slot} (of {created}), is replaced. If it is the one in use, {name} can't sync until it has the new"
            " one, a few minutes later."
        ),
        Code.EXTENSION_FOUND: FindingWords("The extension {extension} runs {name} ({state})."),
        Code.EXTENSION_ABSENT: FindingWords(
            "No extension at {site} is certainly that of {name}, so nothing there would get the new password.",
            "Rotate it by the site where it runs.",
        ),
        Code.EXTENSION_BUSY: FindingWords(
            "The extension {extension} is being changed at the moment ({state}).",
            "Run the command again when that has ended.",
        ),
        Code.EXTENSION_FAILED: FindingWords(
            "The extension {extension} is {state}, so it would not take a new password.",
            "Install it again: it gets a new password then.",
            command="extension deploy {name} --site {site}",
        ),
        Code.OTHER_SECRETS: FindingWords(
            "The extension {extension} has further protected settings ({keys}). Azure replaces them only as a whole and"
            " never shows them, so that the rotation would delete them.",
            "Where that is `tls.secret` alone, `extension update --tls secret --tls-secret NAME` sends a new password"
            " with it. Else whoever has them can send them with a new connection string: `az k8s-extension update"
            " --config-protected-file`.",
        ),
        AzureCode.AGENTS_AWAY: FindingWords(
            "The Arc agents of {cluster} do not reach Azure ({state}, last seen {last_heartbeat}), so that the new"
            " password can't get to the runtime.",
            "Reconnect the cluster first.",
        ),
        AzureCode.ACTIONS_COMPLETE: FindingWords("The bot's Azure identity has all rights that the rotation uses."),
    },
)
