"""Checks inside the cluster, by its Kubernetes API."""

from typing import TypeVar

from services.model.kubernetes import ServiceRanges
from services.model.plan import Finding
from services.operations.answers import Known, NotAsked, known
from services.operations.checks import blocker, check, if_known, ok, required, unproven, warning
from services.operations.deploy.addresses import Choice, assess_address, choose
from services.operations.deploy.codes import Code
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest
from services.operations.tls import TlsCode
from services.policy.extensions import SERVICE_ADDRESS, brings_cert_manager
from services.policy.sites import RUNTIME_NAMESPACE, Site

T = TypeVar("T")


@check("kubernetes.reached", title="Kubernetes API answers", essential=True)
def reached(_site: Site, _request: DeployRequest, observation: Observation) -> Finding:
    """With the site's kubeconfig."""
    return ok(Code.KUBERNETES_REACHED, version=required(observation.kubernetes_version))


@check("kubernetes.rights", title="Bot has the rights that a deployment uses")
def rights(site: Site, _request: DeployRequest, observation: Observation) -> Finding | None:
    """`deploy/rbac` grants exactly these."""
    if missing := required(observation.missing_rights):
        return blocker(Code.RIGHTS_MISSING, missing=missing, namespace=site.cluster.kubernetes.hold_namespace)
    return ok(Code.RIGHTS_COMPLETE)


@check(
    "kubernetes.namespace",
    title="Namespace is not terminating",
    proofs=(f"the namespace {RUNTIME_NAMESPACE}",),
)
def namespace(_site: Site, _request: DeployRequest, observation: Observation) -> Finding | None:
    """Nothing can be created in a namespace that goes away."""
    phase = required(observation.namespace_phase)
    if phase == "Terminating":
        message = observation.installed.namespace_message
        code = Code.NAMESPACE_HELD if message else Code.NAMESPACE_TERMINATING
        return blocker(code, namespace=RUNTIME_NAMESPACE, message=message)
    return ok(Code.NAMESPACE_USABLE, namespace=RUNTIME_NAMESPACE, phase=phase)


@check("kubernetes.node", title="A linux/amd64 node is ready", proofs=("whether a linux/amd64 node is ready",))
def node(_site: Site, _request: DeployRequest, observation: Observation) -> Finding | None:
    """The extension has no image for ARM64 (Learn: Arc extensions)."""
    nodes = required(observation.nodes)
    fitting = [one for one in nodes if one.runs_extension]
    if not fitting:
        return blocker(Code.NODE_ABSENT, platforms=tuple(sorted({f"{one.os}/{one.architecture}" for one in nodes})))
    ready = tuple(one.name for one in fitting if one.ready)
    if not ready:
        return blocker(Code.NODE_NOT_READY, nodes=tuple(one.described for one in fitting))
    return ok(Code.NODE_FOUND, nodes=ready)


@check("kubernetes.storage", title="Storage class exists", proofs=("the storage class",))
def storage(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """Without a usable class the volume claim stays Pending and the extension Creating."""
    classes = required(observation.storage_classes)
    names = tuple(one.name for one in classes)
    if request.storage_class:
        if request.storage_class not in names:
            return blocker(Code.STORAGE_ABSENT, storage_class=request.storage_class, classes=names)
        return ok(Code.STORAGE_FOUND, storage_class=request.storage_class, default=False)
    default = next((one.name for one in classes if one.default), None)
    if default is None:
        return blocker(Code.STORAGE_NO_DEFAULT, classes=names)
    return ok(Code.STORAGE_FOUND, storage_class=default, default=True)


@check("kubernetes.cert_manager", title="cert-manager")
def cert_manager(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """`install` is what the plan sets `cert-manager.install` to: a second installation fails at the first one's CRDs.

    An extension of ours that exists may have installed it itself: then its setting stays, else an upgrade removes it.
    """
    installed = required(observation.cert_manager)
    own = observation.own_extension(request.name)
    if observation.tls(request) in {"certificate", "secret"}:
        if own is not None and installed and brings_cert_manager(own):
            return warning(TlsCode.CERT_MANAGER_GOES, extension=own.name)
        return ok(Code.CERT_MANAGER_NOT_USED, install=False)
    if isinstance(observation.cert_manager, Known) and not observation.cert_manager.proven:
        stated = Code.CERT_MANAGER_STATED_THERE if installed else Code.CERT_MANAGER_STATED_ABSENT
        return ok(stated, install=not installed)
    if not installed:
        return ok(Code.CERT_MANAGER_TO_INSTALL, install=True)
    install = own is not None and brings_cert_manager(own)
    if not install and not known(observation.cert_manager_runs, True):
        return warning(Code.CERT_MANAGER_DOWN, install=False)
    return ok(Code.CERT_MANAGER_THERE if own is None else Code.CERT_MANAGER_KEPT, install=install)


@check("kubernetes.address", title="A Service address is free", essential=True)
def address(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """A given address is judged, else one is picked; `address` is what the plan holds and the extension gets."""
    ranges = required(observation.ranges)
    requested = observation.requested_address(request)
    if (own := _own_address(request, observation, ranges)) and requested in {None, own}:
        return ok(Code.ADDRESS_KEPT, address=own, picked=False)
    if requested is not None:
        return _assessed(requested, ranges, observation.leased)
    return _picked(ranges, observation)


def _assessed(address: str, ranges: ServiceRanges, leased: frozenset[str]) -> Finding:
    assessment = assess_address(address, ranges, leased)
    if assessment.verdict == "ok":
        code = Code.ADDRESS_UNPROVEN if ranges.listed else Code.ADDRESS_GIVEN
        return ok(code, address=address, picked=False, **assessment.facts)
    code = {
        "outside": Code.ADDRESS_OUTSIDE,
        "reserved": Code.ADDRESS_RESERVED,
        "taken": Code.ADDRESS_TAKEN,
        "leased": Code.ADDRESS_LEASED,
    }[assessment.verdict]
    free = choose(ranges, leased)
    instead = free.address if isinstance(free, Choice) else ""
    return blocker(code, address=address, instead=instead, **{"ranges": ranges.ranges} | dict(assessment.facts))


def _picked(ranges: ServiceRanges, observation: Observation) -> Finding:
    choice = choose(ranges, observation.leased, observation.former_address)
    if ranges.listed and not isinstance(choice, Choice):
        return blocker(Code.LISTED_ADDRESSES_USED, addresses=ranges.listed)
    if not isinstance(choice, Choice):
        return blocker(
            Code.ADDRESSES_FULL, ranges=choice.ranges, size=choice.size, used=choice.used, leased=choice.leased
        )
    facts = {"address": choice.address, "range": choice.range, "picked": True}
    if choice.band == "dynamic":
        return warning(Code.ADDRESS_PICKED_HIGH, **facts)
    return ok(Code.ADDRESS_LISTED if ranges.listed else Code.ADDRESS_PICKED, **facts)


def _own_address(request: DeployRequest, observation: Observation, ranges: ServiceRanges) -> str:
    """The address of the extension that is there already, unless somebody else's Service has it; empty otherwise."""
    own = observation.own_extension(request.name)
    address = own.settings.get(SERVICE_ADDRESS, "") if own is not None else ""
    running = if_known(observation.runtime)
    if address and running is not None and address in running.service_addresses:
        return address
    # Nobody asks a cluster without access, and an extension that has succeeded has its address.
    if address and isinstance(observation.runtime, NotAsked) and own and own.provisioning_state == "Succeeded":
        return address
    return address if address and assess_address(address, ranges, observation.leased).verdict == "ok" else ""


@check(
    "kubernetes.runtime",
    title="Pods, Service and volume come up",
    proofs=(
        "whether the Service address is free",
        "cert-manager",
        "Pods, Service, volume and certificate after the installation",
    ),
)
def runtime(_site: Site, _request: DeployRequest, observation: Observation) -> Finding | None:
    """Elsewhere the steps prove it: the one that holds the address, and the one that looks at the cluster."""
    unproven(observation.runtime)
    return None
