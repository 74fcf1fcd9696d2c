"""Words of the steps that several kinds of operation have (`services.operations.registry_steps`, `acr_steps`)."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from handlers.kit.language import t
from handlers.kit.text import code, duration, listed
from services.model.operation import Operation
from services.operations.outputs import ImageImported, ImageKept
from services.policy.sites import synced_repositories


def connected_settings(params: Mapping[str, Any]) -> str:
    """With which settings a connected registry is created; garbage collection where it is not as by default."""
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
        t("below {parent}", parent=params["parent"]) if params.get("parent") else "",
        collection,
    )
    return ", ".join(filter(None, parts))


def synced(params: Mapping[str, Any]) -> str:
    """Which repositories the actions of a scope map let a connected registry sync; empty without any."""
    repositories = synced_repositories(map(str, params["actions"]))
    return t("repositories {repositories}", repositories=", ".join(repositories)) if repositories else ""


def lost_gateways(params: Mapping[str, Any]) -> str:
    """Of which connected registries a scope map loses the gateway rights."""
    names = {str(action).split("/")[1] for action in params["actions"]}
    return t("loses the gateway rights of {names}", names=listed(sorted(names)))


def image_remark(output: object) -> str:
    """What became of an image that was to be imported; empty for anything else."""
    match output:
        case ImageKept(digest=""):
            return t("is there already, as Azure says; the bot could not look")
        case ImageKept():
            return t("existed already and was kept")
        case ImageImported(digest=""):
            return t("imported, as Azure says; the bot could not look")
    return ""


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
