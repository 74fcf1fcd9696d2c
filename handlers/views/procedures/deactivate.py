"""The words of a deactivation."""

from handlers.kit.language import t
from handlers.kit.text import escape
from handlers.views.procedures.words import (
    REGISTRY_FINDINGS,
    REGISTRY_OPTIONS,
    CauseWords,
    FindingWords,
    ProcedureWords,
    StepWords,
)
from services.operations.deactivate.request import Cause, Code

WORDS = ProcedureWords(
    title="Deactivate {target} at {site}",
    success="inactive",
    steps={
        "connected.deactivate": StepWords(
            "Activation of {name}",
            lambda params: (
                t("Active → Inactive; another installation can be activated then")
                if params["activation"] == "Active"
                else t("it is {activation} already", activation=params["activation"])
            ),
        ),
        "connected.inactive": StepWords("{name} is inactive"),
    },
    fields=lambda operation: ((t("Connected registry"), t("{target} is Inactive", target=escape(operation.target))),),
    causes={
        Cause.STILL_ACTIVE: CauseWords(
            "Azure accepted the deactivation of {name} but shows it as Active.",
            "An installation that was waiting for the activation may have taken it. That is the purpose of a"
            " deactivation, and then nothing is wrong. If none should run, delete its extension first, then retry.",
            f"az acr connected-registry show --name {{name}} {REGISTRY_OPTIONS}",
        ),
    },
    findings={
        **REGISTRY_FINDINGS,
        Code.ACTIVE: FindingWords("{name} is active ({state}, last seen {last_activity})."),
        Code.INACTIVE_ALREADY: FindingWords("{name} is inactive already."),
        Code.EXTENSION_STAYS: FindingWords(
            "The extension {extension} stays installed at {site}. It keeps serving the images that it has, but can no"
            " longer sync: new images don't arrive, and pushes don't reach the cloud.",
            "To use it again, deploy {name} to the site again.",
        ),
        Code.NO_EXTENSION: FindingWords("No extension of {name} is installed at {site}."),
        Code.CHILDREN_STOP: FindingWords(
            "Connected registries under {name} sync through it, so they stop syncing too: {children}."
        ),
    },
)
