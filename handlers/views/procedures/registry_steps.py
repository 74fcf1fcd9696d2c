"""Words of the steps that several kinds of operation have (`services.operations.registry_steps`, `acr_steps`)."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from handlers.kit.language import t
from handlers.kit.text import code, count, duration, listed
from handlers.views.procedures.words import StepWords
from services.model.operation import Operation
from services.operations.outputs import ImageImported, ImageKept, ImagesArrived, ImagesAwaited
from services.policy.sites import synced_repositories


def connected_settings(params: Mapping[str, Any]) -> str:
    """With which settings a connected registry is created; what is as by default is left out."""
    window = params["window"]
    collection = ""
    if "gc_enabled" in params:
        collection = (
            t("garbage collection {gc_schedule}", gc_schedule=params["gc_schedule"])
            if params["gc_enabled"]
            else t("no garbage collection")
        )
    parts = (
        str(params["mode"]),
        t("schedule {schedule}", schedule=params["schedule"]),
        t("window {window}", window=duration(window)) if isinstance(window, timedelta) else "",
        t("sync token {token}", token=params["token"]) if params["token"] != params["name"] else "",
        t("below {parent}", parent=params["parent"]) if params.get("parent") else "",
        collection,
        t("audit logs") if params.get("audit_logs") else "",
    )
    return t(", ").join(filter(None, parts))


def synced(params: Mapping[str, Any]) -> str:
    """Which repositories the actions of a scope map let a connected registry sync; empty without any."""
    repositories = synced_repositories(map(str, params["actions"]))
    return t("repositories {repositories}", repositories=", ".join(repositories)) if repositories else ""


def lost_gateways(params: Mapping[str, Any]) -> str:
    """Of which connected registries a scope map loses the gateway rights."""
    names = {str(action).split("/")[1] for action in params["actions"]}
    return t("loses the gateway rights of {names}", names=listed(sorted(names)))


READER_WORDS: Mapping[str, StepWords] = {
    "reader_scope_map.put": StepWords(
        "Scope map {name}",
        lambda params: t(
            "may read {repositories}; deleted when this operation ends", repositories=", ".join(params["repositories"])
        ),
    ),
    "reader_token.put": StepWords("Client token {name}"),
    "reader_token.link": StepWords("Client tokens of {registry}", "{token} may read"),
    "reader_secret.put": StepWords("Secret {name}", "in the namespace {namespace}, with a password of {token}"),
    "images.arrived": StepWords(
        "Images at the edge of {registry}",
        lambda params: (
            t("{images}; until an hour after the next sync's window", images=", ".join(params["images"]))
            if params["images"]
            else t(
                "all tags of {repositories}; until an hour after the next sync's window",
                repositories=", ".join(params["repositories"]),
            )
        ),
    ),
}
"""Of the steps that wait for images (`services.operations.arrival_steps`)."""


def arrival_remark(output: object) -> str:
    """How far the wait for images is; empty for anything else."""
    match output:
        case ImagesAwaited(total=0, next_sync=datetime() as moment):
            return t("next sync {moment:%Y-%m-%d %H:%M} UTC", moment=moment)
        case ImagesAwaited(there=there, total=total, next_sync=datetime() as moment):
            tags = count(total, "tag")
            return t(
                "{there} of {tags} there, next sync {moment:%Y-%m-%d %H:%M} UTC", there=there, tags=tags, moment=moment
            )
        case ImagesAwaited(there=there, total=total):
            return t("{there} of {tags} there", there=there, tags=count(total, "tag"))
        case ImagesArrived(total=total):
            return t("{tags} there, by digest", tags=count(total, "tag"))
    return ""


def image_remark(output: object) -> str:
    """What became of an image that was to be imported or waited for; empty for anything else."""
    match output:
        case ImageKept(digest=""):
            return t("is there already, as Azure says; the bot could not look")
        case ImageKept():
            return t("existed already and was kept")
        case ImageImported(digest=""):
            return t("imported, as Azure says; the bot could not look")
    return arrival_remark(output)


def image_keeps(output: object) -> bool:
    """Whether a step imported nothing, since the tag was there already."""
    return isinstance(output, ImageKept)


def image_fields(operation: Operation) -> Iterator[tuple[str, str]]:
    """Which images came, and which were there already, with their digests."""
    outputs = [step.output for step in operation.steps]
    for kind, label in ((ImageImported, t("Imported")), (ImageKept, t("Kept"))):
        images = [output for output in outputs if isinstance(output, kind)]
        if images:
            yield (
                label,
                listed(code(f"{output.image}@{output.digest}" if output.digest else output.image) for output in images),
            )
