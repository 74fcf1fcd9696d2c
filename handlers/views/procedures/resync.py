"""A resync, as people read it."""

from collections.abc import Iterable

from handlers.kit.language import t
from handlers.kit.text import date
from handlers.views.procedures.words import (
    REGISTRY_FINDINGS,
    REGISTRY_OPTIONS,
    CauseWords,
    FindingWords,
    ProcedureWords,
    StepWords,
)
from services.model.operation import Operation
from services.operations.azure_checks import AzureCode
from services.operations.resync.request import Cause, Code, Resynced


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    resynced = operation.output(Resynced)
    if resynced and resynced.ended:
        yield t("Full sync"), t("ended {ended}", ended=date(resynced.ended))
    else:
        yield t("Full sync"), t("still under way: `show` says when it has ended")


WORDS = ProcedureWords(
    title="Resync {target} at {site}",
    success="done",
    steps={
        "connected.resync": StepWords("Full sync of {name}", lambda _params: t("all its repositories, from the start")),
        "connected.resynced": StepWords("Full sync of {name} has ended"),
    },
    fields=_fields,
    causes={
        Cause.NOT_ATTACHED: CauseWords(
            "Azure took no resync of {name}, since no runtime of it is in contact: {message}",
            "See whether its edge has power and a way to Azure.",
            f"az acr connected-registry show --name {{name}} {REGISTRY_OPTIONS}",
            retry="Retry when it is online.",
        ),
        Cause.SYNC_FAILED: CauseWords(
            "Azure shows the full sync of {name} as {state}; the registry is {connection}.",
            "Look at its log for the reason.",
            "kubectl logs --namespace connected-registry --selector app.kubernetes.io/name=connected-registry",
            retry="A retry waits for a sync to end; run `resync` again for another one.",
        ),
    },
    findings={
        **REGISTRY_FINDINGS,
        Code.NOT_OFFERED: FindingWords(
            "This cloud does not offer resyncs yet: they came with the API version 2026-01-01-preview, and it has"
            " {offered}.",
            "One that syncs all the time does so each minute anyway, and takes changes of its repositories over then.",
        ),
        Code.OFFERED: FindingWords("This cloud offers resyncs (API version {version})."),
        Code.NOT_ACTIVATED: FindingWords("{name} is not activated, so nothing could sync.", "Deploy it first."),
        Code.OFFLINE: FindingWords(
            "{name} is {state} (last seen {last_activity}, schedule {schedule}). Azure takes a resync only while its"
            " runtime is in contact.",
            "Run the command again when it is online, for one with a schedule within its window.",
        ),
        Code.IN_CONTACT: FindingWords("{name} is {state}, last seen {last_activity}."),
        AzureCode.ACTIONS_COMPLETE: FindingWords("The bot's Azure identity has the right to resync."),
        AzureCode.ACTIONS_MISSING: FindingWords(
            "The bot's Azure identity lacks rights at {registry}: {missing}.",
            "Whoever runs the bot has to give it the custom role in `deploy/azure/resync.json`.",
        ),
    },
)
