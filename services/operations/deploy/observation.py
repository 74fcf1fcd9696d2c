"""What a deployment looks at before it decides: every question at once, each with a deadline, none of them fatal."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.model.azure import ArcCluster, ConnectedRegistry, Extension, Registry, ScopeMap, Token
from services.model.errors import Absent, NotNeeded
from services.model.kubernetes import Node, Runtime, ServiceRanges, StorageClass
from services.model.plan import Plan
from services.operations.answers import DEADLINE, Answer, Known, NotAsked, Questions, known, value_of
from services.operations.arrival_checks import ReaderPlace, look_at_place
from services.operations.certificates import Certificate, CertificateObservation
from services.operations.deploy import addresses
from services.operations.deploy.diagnosis import refused_address
from services.operations.deploy.request import DeployRequest, image_import
from services.operations.reach import ClusterQuestions
from services.operations.registration import provider_states
from services.operations.tls import installed_tls
from services.policy.extensions import SERVICE_ADDRESS, extension_of
from services.policy.sites import PROVIDERS, RUNTIME_NAMESPACE, ClusterFacts, Site, Tls
from services.ports import Azure, Cluster, Kubernetes


@dataclass(frozen=True)
class Observation(CertificateObservation):
    """The world around one connected registry's deployment to one site. None as a value means: there is none."""

    providers: Answer[Mapping[str, str]]
    registry: Answer[Registry | None]
    connected: Answer[tuple[ConnectedRegistry, ...]]
    scope_map: Answer[ScopeMap | None]
    token: Answer[Token | None]
    cluster: Answer[ArcCluster | None]
    extensions: Answer[tuple[Extension, ...]]
    kubernetes_version: Answer[str]
    nodes: Answer[tuple[Node, ...]]
    storage_classes: Answer[tuple[StorageClass, ...]]
    namespace_phase: Answer[str]
    cert_manager: Answer[bool]
    ranges: Answer[ServiceRanges]
    missing_rights: Answer[tuple[str, ...]]
    runtime: Answer[Runtime | None]
    """Only read when the namespace of the runtime exists."""
    images: Mapping[str, Answer[str]] = field(default_factory=dict)
    """By repository the digest of the tag that the site imports, else the name of any tag; empty where none is."""
    leased: frozenset[str] = frozenset()
    """Service addresses that other operations at this cluster hold in the database."""
    name_refusal: Answer[str] = field(default_factory=lambda: Known(""))
    """Why the cloud registry can't be created under its name; empty where it can, or is not to be created."""
    reader_place: Answer[ReaderPlace] = field(default_factory=lambda: NotAsked(NotNeeded()))
    """Only looked at where the operation is to wait for images."""
    replaced: Extension | None = None
    """The connected registry's extension that the operation deletes before it installs one."""
    cert_manager_runs: Answer[bool] = field(default_factory=lambda: NotAsked(NotNeeded()))
    """Only looked at where its resource types are installed."""

    def registry_named(self, name: str) -> ConnectedRegistry | None:
        """The connected registry that has the name already, whatever its case (ARM names have none)."""
        registries = known(self.connected, ())
        return next((registry for registry in registries if registry.name.casefold() == name.casefold()), None)

    def own_extension(self, name: str) -> Extension | None:
        """The extension in this cluster that serves the connected registry; none for a question without a name."""
        return extension_of(name, known(self.connected, ()), known(self.extensions, ())) if name else None

    def tls(self, request: DeployRequest) -> Tls:
        """How the extension is encrypted: as somebody says, else as the one is in whose place it comes."""
        former = self.own_extension(request.name) or self.replaced
        return request.tls or (installed_tls(former) if former else "cert-manager")

    @property
    def former_address(self) -> str:
        """By which nodes pull from an extension that goes: the next one gets it if it is free then. Else empty."""
        return self.replaced.settings.get(SERVICE_ADDRESS, "") if self.replaced else ""

    def requested_address(self, request: DeployRequest) -> str | None:
        """The Service address that is asked for; None: the one that the extension has, else a free one.

        A certificate of the site's own is for certain addresses, so the first free one of them counts as asked for.
        """
        own = self.own_extension(request.name)
        ranges = self.ranges.value if isinstance(self.ranges, Known) else None
        certificate = self.certificate if self.tls(request) == "certificate" else None
        if request.service_ip or ranges is None or not isinstance(certificate, Certificate):
            return request.service_ip
        if own is not None and own.settings.get(SERVICE_ADDRESS) in certificate.addresses:
            return None
        return addresses.first_free(certificate.addresses, ranges, self.leased)

    def address(self, request: DeployRequest) -> str:
        """The Service address of the plan: as asked for, else a failed extension's, else a free one; may be empty."""
        address, own = self.requested_address(request), self.own_extension(request.name)
        ranges = self.ranges.value if isinstance(self.ranges, Known) else None
        if address is None and own is not None:
            address = own.settings.get(SERVICE_ADDRESS)
            if ranges is not None and ranges.listed and address not in {*ranges.listed} - ranges.used:
                address = None
        if not address and ranges is not None:
            choice = addresses.choose(ranges, self.leased, self.former_address)
            address = choice.address if isinstance(choice, addresses.Choice) else None
        return address or ""

    @property
    def installed(self) -> Runtime:
        """What the cluster shows of an installed runtime; empty where there is none or it can't be read."""
        return known(self.runtime, None) or Runtime()

    @property
    def may_have_claim(self) -> bool:
        """Whether a volume claim exists, or may exist in a cluster that was not asked."""
        return isinstance(self.runtime, NotAsked) or bool(self.installed.volume_phase)

    @property
    def sees_cluster(self) -> bool:
        """Whether the site gives access to its cluster, for the plan and for the steps after it."""
        return not isinstance(self.namespace_phase, NotAsked)


async def observe(
    azure: Azure,
    kubernetes: Kubernetes,
    site: Site,
    request: DeployRequest,
    approved: Plan | None = None,
    *,
    deadline: float = DEADLINE,
) -> Observation:
    """What exists, or why it could not be asked. `deadline` is of each question, in seconds.

    Seven ARM requests; two less without a name, one more where the cloud registry is to be created. With the plan that
    was approved it is one less: registration states of resource providers only ever get better, so those of the first
    look still hold.
    """
    async with asyncio.TaskGroup() as group:
        arm, kube = Questions(group, "azure", deadline), Questions(group, "kubernetes", deadline)
        inside = ClusterQuestions.of(kube, azure, kubernetes, site)
        questions = _azure_questions(arm, azure, site, request) | _cluster_questions(
            inside, site.cluster.kubernetes.hold_namespace
        )
        if request.wait_for_images:
            questions["reader_place"] = inside.ask(
                lambda cluster: look_at_place(cluster, site.cluster.kubernetes.reader_namespace)
            )
        if approved is None:
            questions["providers"] = arm.ask(site.subscription, lambda: provider_states(azure, site))
        images = _image_questions(arm, azure, site, request, questions["registry"])
    answers: dict[str, Any] = {name: question.result() for name, question in questions.items()}
    if approved is not None:
        answers["providers"] = Known(_providers(approved))
    if site.cluster.facts is not None:
        answers |= _stated(site.cluster.facts, request, answers["connected"], answers["extensions"])
    return Observation(**answers, images={repository: image.result() for repository, image in images.items()})


def _azure_questions(arm: Questions, azure: Azure, site: Site, request: DeployRequest) -> dict[str, asyncio.Task[Any]]:
    """By the observation's fields."""
    acr, arc, name = site.acr_ref, site.cluster_ref, request.name
    registry = arm.find(acr.id, lambda: azure.registries.get(acr))

    async def name_refusal() -> str:
        is_to_create = site.acr.create_in and await value_of(registry) is None
        return await azure.registries.name_refusal(acr) if is_to_create else ""

    return {
        "registry": registry,
        "name_refusal": arm.ask(acr.id, name_refusal),
        "connected": arm.list(acr.id, lambda: azure.connected.list(acr)),
        "scope_map": arm.find(acr.id, lambda: azure.scope_maps.get(acr, name)) if name else arm.skip(),
        "token": arm.find(acr.id, lambda: azure.tokens.get(acr, name)) if name else arm.skip(),
        "cluster": arm.find(arc.id, lambda: azure.clusters.get(arc)),
        "extensions": arm.list(arc.id, lambda: azure.extensions.list(arc)),
    }


def _cluster_questions(questions: ClusterQuestions, namespace: str) -> dict[str, asyncio.Task[Any]]:
    """By the observation's fields."""
    inside = questions.ask
    phase = inside(lambda cluster: cluster.namespace_phase(RUNTIME_NAMESPACE))
    cert_manager = inside(lambda cluster: cluster.has_cert_manager())

    async def runs(cluster: Cluster) -> bool:
        return await cluster.runs_cert_manager() if await value_of(cert_manager) else False

    async def runtime(cluster: Cluster) -> Runtime | None:
        return await cluster.runtime(RUNTIME_NAMESPACE) if await value_of(phase) else None

    return {
        "kubernetes_version": inside(lambda cluster: cluster.version()),
        "nodes": inside(lambda cluster: cluster.nodes()),
        "storage_classes": inside(lambda cluster: cluster.storage_classes()),
        "namespace_phase": phase,
        "cert_manager": cert_manager,
        "cert_manager_runs": inside(runs),
        "ranges": inside(lambda cluster: cluster.service_ranges(namespace)),
        "missing_rights": inside(lambda cluster: cluster.missing_rights(namespace)),
        "runtime": inside(runtime),
    }


def _stated(
    facts: ClusterFacts,
    request: DeployRequest,
    connected: Answer[tuple[ConnectedRegistry, ...]],
    extensions: Answer[tuple[Extension, ...]],
) -> dict[str, Answer[Any]]:
    """What the site file states in the cluster's place, and what Azure shows of the addresses in use.

    That is the address of another extension, and one that the cluster refused to this registry's own.
    """
    installed = known(extensions, ())
    own = extension_of(request.name, known(connected, ()), installed) if request.name else None
    others = (extension.settings.get(SERVICE_ADDRESS, "") for extension in installed if extension is not own)
    used = frozenset(filter(None, (*others, refused_address(own))))
    ranges = ServiceRanges((str(facts.service_range),), used, "site file", tuple(map(str, facts.addresses)))
    return {"ranges": Known(ranges, proven=False), "cert_manager": Known(facts.cert_manager, proven=False)}


def _image_questions(
    arm: Questions, azure: Azure, site: Site, request: DeployRequest, registry: asyncio.Task[Answer[Registry | None]]
) -> dict[str, asyncio.Task[Answer[str]]]:
    """By repository: whether it holds the tag that the site imports there, or any one."""

    def look(repository: str) -> asyncio.Task[Answer[str]]:
        imported = image_import(site, repository)

        async def content() -> str:
            if (acr := await value_of(registry)) is None:
                return ""
            try:
                if imported is None:
                    return await azure.images.any_tag(site.acr_ref, acr.login_server, repository)
                return (await azure.images.get(site.acr_ref, acr.login_server, repository, imported.tag)).digest
            except Absent:
                return ""

        return arm.ask(f"{site.acr_ref.id}/{repository}", content)

    return {repository: look(repository) for repository in request.repositories}


def _providers(plan: Plan) -> Mapping[str, str]:
    """Registration states as that plan was made for them."""
    missing: set[object] = set()
    for step in plan.steps:
        if step.kind == "provider.register" and isinstance(namespaces := step.params["namespaces"], tuple):
            missing |= set(namespaces)
    return {name: "NotRegistered" if name in missing else "Registered" for name in PROVIDERS}
