"""Steps on the cluster at the edge."""

import shlex
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.model.errors import AddressTaken, Failure
from services.model.kubernetes import ServiceRanges
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import command_line, kubectl_options, lines
from services.operations.deploy import addresses
from services.operations.deploy.causes import Cause
from services.operations.deploy.diagnosis import refused_address
from services.operations.deploy.outputs import AddressHeld, AddressReserved, RuntimeVerified, address_of
from services.operations.deploy.steps.extension import HOLD, INSTALL, RESERVE, installed_before
from services.operations.deploy.steps.verdict import raise_if_final
from services.operations.step import Done, Going, Progress, Scene, Step, again
from services.policy.sites import RUNTIME_NAMESPACE, Site

TRIES = 20
"""How many addresses are tried one after the other; somebody else would have to take all of them meanwhile."""


def hold_address(kind: str) -> Step:
    """A step that holds the Service address by a placeholder until the extension has it."""

    async def undo(scene: Scene) -> None:
        await (await scene.cluster()).release_addresses(scene.params["namespace"], scene.operation.id)

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        # In a cluster that says that it is the site's: the context may be named otherwise elsewhere.
        cluster = site.cluster_ref
        arc_id = command_line(
            "kubectl get configmap azure-clusterconfig",
            **kubectl_options(site, "azure-arc"),
            output="jsonpath={.data.AZURE_SUBSCRIPTION_ID}/{.data.AZURE_RESOURCE_GROUP}/{.data.AZURE_RESOURCE_NAME}",
        )
        expected = shlex.quote(f"{cluster.subscription}/{cluster.resource_group}/{cluster.name}".lower())
        wrong = shlex.quote(f"kubectl does not reach the Arc-enabled cluster {cluster.name}: choose its context.")
        return lines(
            (
                f"arc_cluster=$({arc_id} | tr '[:upper:]' '[:lower:]')",
                f'[ "$arc_cluster" = {expected} ] || {{ echo {wrong} >&2; exit 1; }}',
                command_line(
                    "kubectl create service clusterip registry-placeholder",
                    **kubectl_options(site, planned.params["namespace"]),
                    clusterip=planned.params["address"],
                    tcp=443,
                ),
            )
        )

    return Step(kind, _hold, line, undo=undo, reserves=_reserved, free=_free, repeats=_is_given_back)


async def _hold(scene: Scene) -> Progress:
    """Prove by a real Service that the address is free; nothing less proves it (a dry run accepts addresses in use)."""
    cluster = await scene.cluster()
    address = address_of(scene.operation) or await _held_before(scene) or str(scene.params["address"])
    runtime = await cluster.runtime(RUNTIME_NAMESPACE)
    if address in runtime.service_addresses:  # a run before this one has got as far as the extension's own Service
        return Done(AddressHeld(address))
    for _ in range(TRIES):
        if await scene.leases.take(_cluster(scene), address, scene.operation.id):
            try:
                await cluster.hold_address(address, scene.params["namespace"], scene.operation.id)
                await scene.leases.release(scene.operation.id, but=address)
                return Done(AddressHeld(address))
            except AddressTaken:
                if not scene.params["picked"]:
                    raise
        elif not scene.params["picked"]:
            raise Failure(Cause.ADDRESS_LEASED, {"address": address})
        address = await _next(scene, await cluster.service_ranges(scene.params["namespace"]), address)
    raise Failure(Cause.ADDRESS_RACE, {"tries": TRIES})


async def _held_before(scene: Scene) -> str:
    """What a run that died held, let go again: it may have died before it could say which address it had got."""
    if not scene.repeated:
        return ""
    addresses_held = await (await scene.cluster()).release_addresses(scene.params["namespace"], scene.operation.id)
    return addresses_held[0] if addresses_held and scene.params["picked"] else ""


async def _next(scene: Scene, ranges: ServiceRanges, tried: str) -> str:
    leased = await scene.leases.of_others(_cluster(scene), scene.operation.id)
    choice = addresses.choose(ranges, {*leased, tried})
    if isinstance(choice, addresses.Full):
        facts = {"ranges": choice.ranges, "size": choice.size, "used": choice.used, "leased": choice.leased}
        raise Failure(Cause.ADDRESS_RANGE_FULL, facts)
    return choice.address


def reserve_address(kind: str) -> Step:
    """A step that leases the first address of the site file's list that is left, for a cluster that nobody can ask.

    Only the installation proves it. One that the cluster has refused to an earlier run is not tried again.
    """

    async def begin(scene: Scene) -> Progress:
        earlier, address = scene.operation.output(AddressReserved), str(scene.params["address"])
        refused: tuple[str, ...] = ()
        candidates = [address]
        if scene.params["picked"]:
            last = refused_address(await installed_before(scene))
            refused = tuple(dict.fromkeys(filter(None, (*(earlier.refused if earlier else ()), last))))
            # The list as it is now: whoever corrects it after a refusal need not ask for the deployment again.
            listed = scene.site.cluster.facts.addresses if scene.site.cluster.facts else ()
            first = earlier.address if earlier else address
            candidates = sorted(map(str, listed), key=lambda candidate: candidate != first)
        for candidate in candidates:
            if candidate not in refused and await scene.leases.take(_cluster(scene), candidate, scene.operation.id):
                await scene.leases.release(scene.operation.id, but=candidate)
                return Done(AddressReserved(candidate, refused))
        if not scene.params["picked"]:
            raise Failure(Cause.ADDRESS_LEASED, {"address": address})
        raise Failure(Cause.LISTED_ADDRESSES_USED, {"addresses": tuple(candidates)})

    def line(_site: Site, _operation: Operation, planned: PlannedStep) -> str:
        # Nothing to run: it reminds whoever runs the script of what nobody has proven.
        sentence = f"The Service address {planned.params['address']} has to be free in the cluster; nothing checks it."
        return f"echo {shlex.quote(sentence)} >&2"

    return Step(kind, begin, line, reserves=_reserved, free=_free, repeats=_is_given_back)


def _cluster(scene: Scene) -> str:
    return scene.site.cluster_ref.id.lower()


def _reserved(params: Mapping[str, Any]) -> str:
    return str(params["address"])


def _free(params: Mapping[str, Any]) -> frozenset[str]:
    return frozenset({"address"}) if params.get("picked") else frozenset()


def _is_given_back(operation: Operation, _index: int) -> bool:
    """A failed run took its placeholder back at its end; after the installation the extension has the address."""
    return not operation.has_done(INSTALL.kind)


def see_runtime(kind: str) -> Step:
    """A step that looks until the Deployment is available, with its Service and its volume."""

    async def look(scene: Scene) -> Progress:
        runtime = await (await scene.cluster()).runtime(RUNTIME_NAMESPACE)
        address = address_of(scene.operation) or next(iter(runtime.service_addresses), "")
        if runtime.deployment_available and runtime.volume_phase == "Bound" and address in runtime.service_addresses:
            return Done(RuntimeVerified(address, runtime.volume_phase))
        await raise_if_final(scene)
        return Going()

    def line(site: Site, _operation: Operation, _planned: PlannedStep) -> str:
        place = kubectl_options(site, RUNTIME_NAMESPACE)
        conditions = {"deployments": "condition=Available", "persistentvolumeclaims": "jsonpath={.status.phase}=Bound"}
        waits = [
            command_line(f"kubectl wait {kind}", **place, all=True, **{"for": condition}, timeout="10m")
            for kind, condition in conditions.items()
        ]
        return lines((*waits, command_line("kubectl get services", **place)))

    return Step(kind, look, line, wait=again(look), interval=3, within=timedelta(minutes=10))


HOLD_ADDRESS = hold_address(HOLD)
RESERVE_ADDRESS = reserve_address(RESERVE)
VERIFY = see_runtime("cluster.verify")
