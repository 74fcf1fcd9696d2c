"""Steps on the cluster at the edge."""

from datetime import timedelta

from services.model.errors import AddressTaken, Failure
from services.model.kubernetes import ServiceRanges
from services.operations.deploy import addresses
from services.operations.deploy.diagnosis import Cause
from services.operations.deploy.steps.verdict import judge
from services.operations.step import Done, Going, Progress, Scene, Step
from services.policy.sites import RUNTIME_NAMESPACE

TRIES = 20
"""How many addresses are tried one after the other; somebody else would have to take all of them meanwhile."""


async def _hold(scene: Scene) -> Progress:
    """Prove by a real Service that the address is free; nothing less proves it (a dry run accepts addresses in use)."""
    cluster = await scene.cluster()
    wanted = str(scene.results.get("service_ip") or await _held_before(scene) or scene.params["address"])
    runtime = await cluster.runtime(RUNTIME_NAMESPACE)
    if wanted in runtime.service_addresses:  # a run before this one has got as far as the extension's own Service
        return Done({"service_ip": wanted})
    for _ in range(TRIES):
        if await scene.leases.take(scene.operation.cluster, wanted, scene.operation.id):
            try:
                await cluster.hold_address(wanted, scene.params["namespace"], scene.operation.id)
                await scene.leases.release(scene.operation.id, but=wanted)
                return Done({"service_ip": wanted})
            except AddressTaken:
                if not scene.params["picked"]:
                    raise
        elif not scene.params["picked"]:
            raise Failure(Cause.ADDRESS_LEASED, {"address": wanted})
        wanted = await _next(scene, await cluster.service_ranges(scene.params["namespace"]), wanted)
    raise Failure(Cause.ADDRESS_RACE, {"tries": TRIES})


async def _held_before(scene: Scene) -> str:
    """What a run that died held, let go again: it may have died before it could say which address it had got."""
    if not scene.second:
        return ""
    held = await (await scene.cluster()).release_addresses(scene.params["namespace"], scene.operation.id)
    return held[0] if held and scene.params["picked"] else ""


async def _next(scene: Scene, known: ServiceRanges, tried: str) -> str:
    leased = await scene.leases.of_others(scene.operation.cluster, scene.operation.id)
    choice = addresses.choose(known, {*leased, tried})
    if isinstance(choice, addresses.Full):
        facts = {"ranges": choice.ranges, "size": choice.size, "used": choice.used, "leased": choice.leased}
        raise Failure(Cause.ADDRESS_RANGE_FULL, facts)
    return choice.address


async def _let_go(scene: Scene) -> None:
    await (await scene.cluster()).release_addresses(scene.params["namespace"], scene.operation.id)


async def _verify(scene: Scene) -> Progress:
    return await _verified(scene, None)


async def _verified(scene: Scene, _token: object) -> Progress:
    runtime = await (await scene.cluster()).runtime(RUNTIME_NAMESPACE)
    address = str(scene.results.get("service_ip") or next(iter(runtime.service_addresses), ""))
    if runtime.deployment_available and runtime.volume_phase == "Bound" and address in runtime.service_addresses:
        return Done({"deployment": "available", "service": address, "volume": runtime.volume_phase})
    await judge(scene)
    return Going()


HOLD_ADDRESS = Step(
    "service_ip.hold",
    "Service IP {address}",
    _hold,
    lambda _site, _name, params: (
        f"kubectl create service clusterip registry-placeholder --clusterip={params['address']} --tcp=443"
        f" --namespace {params['namespace']}"
    ),
    undo=_let_go,
)
VERIFY = Step(
    "cluster.verify",
    "Deployment, Service and volume in the cluster",
    _verify,
    lambda _site, _name, _params: (
        f"kubectl get deployments,services,persistentvolumeclaims --namespace {RUNTIME_NAMESPACE}"
    ),
    wait=_verified,
    interval=3,
    within=timedelta(minutes=10),
)
