"""Placeholder Services: the only proof that an address is free is to have it (a dry run accepts addresses in use)."""

import asyncio
import re
from dataclasses import replace
from ipaddress import ip_address

from services.gateways.kubernetes.api import Api
from services.gateways.kubernetes.objects import Object, service_addresses
from services.gateways.kubernetes.ranges import service_ranges
from services.gateways.kubernetes.rights import CREATE_SERVICE, DELETE_SERVICE, LIST_SERVICES
from services.gateways.kubernetes.together import together
from services.model.errors import Absent, AddressOutside, AddressTaken, Conflict

OPERATION_LABEL = "registry-bot/operation"
MANAGED_BY = {"app.kubernetes.io/managed-by": "registry-bot"}
PORT = 443
POLL = 0.1
GONE_WITHIN = 30.0


def name(operation: str, address: str) -> str:
    """The same for the same operation and address. A Service's name is a DNS label: no dots, no colons, 63 at most."""
    label = re.sub(r"[^a-z0-9]+", "-", operation.lower())[:16].strip("-")
    return f"registry-bot-{label}-{int(ip_address(address)):x}"


def manifest(operation: str, address: str) -> Object:
    """A Service without a selector, so without endpoints: it holds its address and does nothing else."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name(operation, address),
            "labels": {OPERATION_LABEL: operation, **MANAGED_BY},
            "annotations": {
                "registry-bot/purpose": "Holds this Service address while a connected registry is deployed."
            },
        },
        "spec": {"clusterIP": address, "ports": [{"name": "https", "port": PORT, "protocol": "TCP"}]},
    }


async def hold(api: Api, address: str, namespace: str, operation: str) -> None:
    """Create the placeholder, unless this operation has it already.

    The API server allocates before it compares names, so a repeated create may be refused for either reason.
    """
    try:
        await api.ask(CREATE_SERVICE.inside(namespace), body=manifest(operation, address))
    except (AddressTaken, Conflict):
        services = await _placeholders(api, namespace, operation)
        if not any(address in service_addresses(service) for service in services):
            raise
    except AddressOutside as refusal:
        # A real create names no range (measured on 1.37; a dry run does), and people need to know which there are.
        cluster = await service_ranges(api, namespace)
        raise replace(refusal, ranges=cluster.ranges) from None


async def release(api: Api, namespace: str, operation: str) -> tuple[str, ...]:
    """Delete the operation's placeholders and wait until they are gone; the addresses that they held.

    Raises:
        Unreachable: they are still there after `GONE_WITHIN` seconds (a finalizer of somebody else's holds them).
    """
    services = await _placeholders(api, namespace, operation)
    await together(_delete(api, namespace, service) for service in services)
    with api.waiting(f"placeholder Services of {operation} in {namespace} to go"):
        async with asyncio.timeout(GONE_WITHIN):
            while services and await _placeholders(api, namespace, operation):  # noqa: ASYNC110 - nobody sets an event here
                await asyncio.sleep(POLL)
    return tuple(address for service in services for address in service_addresses(service))


async def _placeholders(api: Api, namespace: str, operation: str) -> list[Object]:
    return await api.everything(LIST_SERVICES.inside(namespace), {"labelSelector": f"{OPERATION_LABEL}={operation}"})


async def _delete(api: Api, namespace: str, service: Object) -> None:
    meta = service["metadata"]
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": meta["uid"]}}
    try:
        await api.ask(DELETE_SERVICE.inside(namespace), meta["name"], body=options)
    except Absent:
        return
