"""Which workloads of a cluster run images of a registry."""

from collections import defaultdict
from collections.abc import Collection
from ipaddress import IPv6Address

from services.gateways.kubernetes.api import Api
from services.gateways.kubernetes.objects import Object
from services.gateways.kubernetes.rights import LIST_PODS
from services.model.kubernetes import Workload

RUNNING = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}
HASH_LABEL = "pod-template-hash"


async def workloads(api: Api, hosts: Collection[str]) -> tuple[Workload, ...]:
    """By namespace and name; nothing is asked when there are no hosts."""
    prefixes = tuple(prefix for host in hosts if host for prefix in _prefixes(host))
    if not prefixes:
        return ()
    images_by_workload: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for pod in await api.everything(LIST_PODS, RUNNING):
        pulled = {image for image in images(pod) if image.startswith(prefixes)}
        if pulled:
            images_by_workload[pod["metadata"]["namespace"], _owner(pod)] |= pulled
    return tuple(Workload(*place, tuple(sorted(pulled))) for place, pulled in sorted(images_by_workload.items()))


def _prefixes(host: str) -> tuple[str, str]:
    """What stands before the repository in an image reference, with and without a port."""
    try:
        host = f"[{IPv6Address(host)}]"
    except ValueError:
        host = host.lower()
    return f"{host}/", f"{host}:"


def images(pod: Object) -> set[str]:
    """References of the images of a Pod, or of a template for Pods."""
    spec = pod.get("spec") or {}
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return {str(container.get("image") or "") for container in containers}


def _owner(pod: Object) -> str:
    """The owner's name; a ReplicaSet's is its Deployment's with a hash behind it, which each rollout changes."""
    meta = pod["metadata"]
    controllers = [owner for owner in meta.get("ownerReferences") or () if owner.get("controller")]
    name = str(controllers[0]["name"]) if controllers else str(meta["name"])
    return name.removesuffix(f"-{(meta.get('labels') or {}).get(HASH_LABEL, '')}")
