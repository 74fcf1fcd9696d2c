"""Where a cluster's Service addresses come from, and which are in use (measured on 1.37)."""

from services.gateways.kubernetes.api import Api
from services.gateways.kubernetes.objects import Object, is_true, service_addresses
from services.gateways.kubernetes.rights import (
    CREATE_SERVICE,
    LIST_IP_ADDRESSES,
    LIST_SERVICE_CIDRS,
    LIST_SERVICES,
    Right,
)
from services.gateways.kubernetes.together import together
from services.gateways.kubernetes.translation import SERVICE
from services.model.errors import Absent, AddressOutside, NotAllowed, Refused
from services.model.kubernetes import ServiceRanges

DOCUMENTATION_ADDRESSES = ("192.0.2.1", "2001:db8::1")
"""Reserved for documentation (RFC 5737, RFC 3849), so no cluster gives them to Services."""
DEFAULT_CIDR = "kubernetes"
"""Name of the ServiceCIDR that the API server makes of its own flag; it comes first."""


async def service_ranges(api: Api, namespace: str) -> ServiceRanges:
    """From ServiceCIDR and IPAddress objects; where these can't be had, from a refusal and from Services.

    `namespace` is where the dry run happens that is refused. A dry run says nothing about addresses in use.
    """
    cidrs, addresses = await together(
        [_unless_unknown(api, LIST_SERVICE_CIDRS), _unless_unknown(api, LIST_IP_ADDRESSES)]
    )
    if cidrs is None or addresses is None:
        return await _from_refusal(api, namespace)
    cidrs.sort(key=lambda item: item["metadata"]["name"] != DEFAULT_CIDR)
    ranges = dict.fromkeys(cidr for item in cidrs if is_true(item, "Ready") for cidr in item["spec"].get("cidrs") or ())
    return ServiceRanges(tuple(ranges), frozenset(item["metadata"]["name"] for item in addresses), "ServiceCIDR")


async def _unless_unknown(api: Api, right: Right) -> list[Object] | None:
    """All objects of a kind; None when the cluster doesn't know the kind, or doesn't show it."""
    try:
        return await api.everything(right)
    except (Absent, NotAllowed):
        return None


async def _from_refusal(api: Api, namespace: str) -> ServiceRanges:
    addresses, *refusals = await together(
        [
            _addresses_of_services(api),
            *(_ranges_refusing(api, namespace, address) for address in DOCUMENTATION_ADDRESSES),
        ]
    )
    ranges = dict.fromkeys(cidr for cidrs in refusals for cidr in cidrs)
    if not ranges:
        raise Refused(
            SERVICE, f"Service range, by {CREATE_SERVICE.inside(namespace)}", "NoRange", "no refusal named a range"
        )
    return ServiceRanges(tuple(ranges), frozenset(addresses), "refusal")


async def _addresses_of_services(api: Api) -> list[str]:
    services = await api.everything(LIST_SERVICES)
    return [address for service in services for address in service_addresses(service)]


async def _ranges_refusing(api: Api, namespace: str, address: str) -> list[str]:
    """The range that a dry-run create outside names; none when the cluster has no range of that family."""
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"generateName": "registry-bot-range-"},
        "spec": {"clusterIP": address, "ports": [{"port": 443, "protocol": "TCP"}]},
    }
    try:
        await api.ask(CREATE_SERVICE.inside(namespace), query={"dryRun": "All"}, body=body)
    except AddressOutside as refusal:
        return list(refusal.ranges)
    except Refused:
        return []
    return []
