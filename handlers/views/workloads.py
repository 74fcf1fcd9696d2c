"""Workloads as people see them. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.kit import blocks
from handlers.kit.language import phrase, t
from handlers.kit.message import Message
from handlers.kit.text import bold, code, count, escape, listed
from handlers.views.errors import explanation
from handlers.views.procedures.workload import short_digest
from services.model.azure import Image
from services.model.errors import DomainError
from services.model.kubernetes import DeployedWorkload, WorkloadPod, WorkloadSpec
from services.policy.sites import Site

_ROWS = 99
_EVERYWHERE = (
    phrase("Workload"),
    phrase("Site"),
    phrase("Namespace"),
    phrase("Registry"),
    phrase("Image"),
    phrase("Pods"),
    phrase("Digest"),
    phrase("State"),
)


def image(spec: WorkloadSpec) -> str:
    """Repository with tag or digest, without the edge's address."""
    return spec.image.partition("/")[2]


def listing(name: str, site: Site, workloads: tuple[DeployedWorkload, ...], images: Mapping[str, Image]) -> Message:
    """One table. `images` are what the cloud has, by `image`; of one that is missing nothing is claimed."""
    if not workloads:
        text = t("The bot has deployed no workload from {name} at {site}.", name=bold(name), site=bold(site.name))
        return Message(
            t("No workloads from {name} at {site}", name=name, site=escape(site.name)), (blocks.section(text),)
        )
    columns = (t("Workload"), t("Namespace"), t("Image"), t("Pods"), t("Digest"), t("As in the cloud"), t("State"))
    rows = [_row(workload, images) for workload in workloads[:_ROWS]]
    shown = [blocks.table(columns, rows)]
    if len(workloads) > _ROWS:
        shown.append(blocks.context(t("and {number} more", number=len(workloads) - _ROWS)))
    delete = code(f"workload delete WORKLOAD --site {site.name}")
    shown.append(blocks.context(t("{delete} deletes one with its pull secret and client token.", delete=delete)))
    head = t(
        "{number} workload{s} from {name} at {site}",
        number=len(workloads),
        s="" if len(workloads) == 1 else "s",
        name=name,
        site=site.name,
    )
    return Message(escape(head), tuple(shown))


@dataclass(frozen=True)
class AtSite:
    """The bot's workloads at a site, or why they could not be asked for."""

    site: Site
    workloads: tuple[DeployedWorkload, ...]
    error: DomainError | None = None


def everywhere(answers: Sequence[AtSite], page: int, *, turns: str, slash: str = "/registry") -> Message:
    """One table over sites, and for those that could not be asked the reason: of them nothing is claimed."""
    rows = [_place_row(answer.site, workload) for answer in answers for workload in answer.workloads]
    asked = sum(answer.error is None for answer in answers)
    head = t("{workloads} of the bot at {sites}", workloads=count(len(rows), "workload"), sites=count(asked, "site"))
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for answer in answers:
        if answer.error is not None:
            reasons[explanation(answer.error, slash=slash)].append(code(answer.site.name))
    notes = [
        blocks.section(t(":warning:  Could not be asked: {sites}. {reason}", sites=listed(sites), reason=reason))
        for reason, sites in reasons.items()
    ]
    pages = blocks.pages_of_rows(_EVERYWHERE, rows)
    parts = blocks.paged(head, _EVERYWHERE, pages, page, turns=turns) if rows else (blocks.section(f"{head}."),)
    return Message(head, (*notes, *parts))


def _place_row(site: Site, workload: DeployedWorkload) -> tuple[str, ...]:
    spec = workload.spec
    digests = [pod.image_id.rpartition("@")[2] for pod in workload.pods if pod.image_id]
    return (
        spec.name,
        site.name,
        spec.namespace,
        spec.registry,
        image(spec),
        t("{number} of {replicas} pulled", number=len(digests), replicas=spec.replicas),
        ", ".join(map(short_digest, dict.fromkeys(digests))) or t("none"),
        _states(workload),
    )


def _states(workload: DeployedWorkload) -> str:
    return workload.refusal or ", ".join(dict.fromkeys(map(_state, workload.pods))) or t("no Pods")


def _row(workload: DeployedWorkload, images: Mapping[str, Image]) -> tuple[str, ...]:
    spec, pods = workload.spec, workload.pods
    digests = [pod.image_id.rpartition("@")[2] for pod in pods if pod.image_id]
    cloud = images.get(image(spec))
    if cloud is None:
        verdict = t("could not be asked")
    elif len(digests) < spec.replicas:
        verdict = t("not pulled yet")
    else:
        verdict = t("yes") if set(digests) <= cloud.digests else t("no")
    return (
        spec.name,
        spec.namespace,
        image(spec),
        t("{number} of {replicas} pulled", number=len(digests), replicas=spec.replicas),
        ", ".join(map(short_digest, dict.fromkeys(digests))) or t("none"),
        verdict,
        _states(workload),
    )


def _state(pod: WorkloadPod) -> str:
    if pod.reason == "CrashLoopBackOff" and pod.exit_code == 0:
        return t("ends with exit code 0, and is started again")
    return pod.reason or pod.state or t("starting")
