"""Two hundred clusters' worth of Service ranges and fillings: what is picked is given, and what is full is told as full."""

import asyncio
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from sandbox.controlplane.api import Api
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.errors import DomainError
from services.model.kubernetes import ServiceRanges
from services.operations.deploy.addresses import Choice, Full, choose, static_band

CASES = 200
RANGES, ADDRESSES = "/apis/networking.k8s.io/v1/servicecidrs", "/apis/networking.k8s.io/v1/ipaddresses"
MOST_IN_USE, SMALL, SELDOM = 256, 32, 0.02
"""Each address in use is an object in the API server, so few of the larger ranges are filled."""
PATIENCE = 60
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Case:
    """Ranges of one cluster, and which of their addresses are in use."""

    ranges: tuple[Network, ...]
    used: frozenset[str]

    @property
    def full(self) -> bool:
        """Whether nothing is left to pick; the lowest address of a range is never picked."""
        return all(self.used >= set(usable(one)[1:]) for one in self.ranges)


def usable(network: Network) -> list[str]:
    """The first addresses of a range that Services can have, enough of them to compare with."""
    last = network.num_addresses - (2 if network.version == 4 else 1)
    return [str(network[at]) for at in range(1, min(last, 2 * MOST_IN_USE) + 1)]


def cases(chance: random.Random) -> Iterator[Case]:
    fours = _apart(chance, IPv4Network("32.0.0.0/4"), range(16, 29))
    sixes = _apart(chance, IPv6Network("fd10::/64"), range(112, 125))
    for _ in range(CASES):
        kinds = chance.choices([(fours,), (fours, fours), (fours,) * 3, (sixes,), (fours, sixes)], [12, 3, 1, 2, 2])[0]
        ranges = tuple(next(kind) for kind in kinds)
        yield Case(ranges, frozenset(address for one in ranges for address in filling(chance, one)))


def _apart(chance: random.Random, space: Network, sizes: range) -> Iterator[Network]:
    """Ranges of random sizes that don't overlap."""
    at = int(space.network_address)
    while True:
        size = chance.choice(sizes)
        width = 1 << (space.max_prefixlen - size)
        at = -(-at // width) * width
        yield ip_network((at, size))
        at += width


def filling(chance: random.Random, network: Network) -> Iterable[str]:
    """Nothing, a few, the band of chosen addresses, all but one, or all; large ranges are filled less often."""
    own = usable(network)
    small = network.num_addresses <= SMALL or (network.num_addresses <= MOST_IN_USE and chance.random() < SELDOM)
    kinds = ["empty", "some", "some", "band", "nearly full", "full"] if small else ["empty", "some"]
    kind = "band" if not small and chance.random() < SELDOM else chance.choice(kinds)
    if kind == "some":
        return chance.sample(own, chance.randint(1, min(len(own), 8)))
    if kind == "band":
        return own[: static_band(network)]
    if kind == "nearly full":
        left = chance.choice(own[1:])
        return [address for address in own if address != left]
    return own if kind == "full" else []


async def made(admin: Api, all_cases: list[Case]) -> None:
    """Bring all ranges and addresses in use into the cluster."""
    ranges = [network for case in all_cases for network in case.ranges]
    addresses = [address for case in all_cases for address in case.used]
    parent = {"group": "", "resource": "services", "namespace": "default", "name": "somebody-elses"}
    async with asyncio.TaskGroup() as group:
        for at, network in enumerate(ranges):
            body = {"metadata": {"name": f"range-{at}"}, "spec": {"cidrs": [str(network)]}}
            group.create_task(admin.create(RANGES, body))
        for address in addresses:
            group.create_task(admin.create(ADDRESSES, {"metadata": {"name": address}, "spec": {"parentRef": parent}}))


async def known_once_ready(cluster: KubernetesCluster, count: int) -> ServiceRanges:
    async with asyncio.timeout(PATIENCE):
        while len((known := await cluster.service_ranges()).ranges) < count:
            await asyncio.sleep(0.2)
    return known


async def test_every_address_that_is_picked_is_given(wide: KubernetesCluster, wide_admin: Api) -> None:
    all_cases = list(cases(random.Random(1337)))  # noqa: S311 - what is wanted is the same cases again
    before = await wide.service_ranges()
    await made(wide_admin, all_cases)
    known = await known_once_ready(wide, len(before.ranges) + sum(len(case.ranges) for case in all_cases))

    wrong = await asyncio.gather(*(outcome(wide, known, case, at) for at, case in enumerate(all_cases)))

    assert [text for text in wrong if text] == []


async def test_the_last_address_of_a_large_range_is_found_and_then_it_is_told_as_full(
    wide: KubernetesCluster, wide_admin: Api
) -> None:
    """A range of 1,022, which is read in several pages, with its band of chosen addresses in use as well."""
    network, left = ip_network("33.0.0.0/22"), "33.0.2.77"
    before = await wide.service_ranges()
    await made(wide_admin, [Case((network,), frozenset(str(one) for one in network.hosts()) - {left})])
    known = replace(await known_once_ready(wide, len(before.ranges) + 1), ranges=(str(network),))

    choice = choose(known)
    assert choice == Choice(left, str(network), "dynamic")
    await wide.hold_address(left, "default", "op-1")
    assert choose(replace(known, used=known.used | {left})) == Full((str(network),), 1022, 1022, 0)


async def outcome(cluster: KubernetesCluster, known: ServiceRanges, case: Case, at: int) -> str:
    """What is wrong with the answer to one case; empty when nothing is."""
    choice = choose(replace(known, ranges=tuple(str(one) for one in case.ranges)))
    if isinstance(choice, Full):
        told = (choice.ranges, choice.size, choice.used)
        size = sum(one.num_addresses - (2 if one.version == 4 else 1) for one in case.ranges)
        right = (tuple(str(one) for one in case.ranges), size, len(case.used))
        return "" if case.full and told == right else f"{case.ranges}: told as full: {told}, but {right}"
    if case.full or choice.address in case.used:
        return f"{case.ranges}: {choice.address} was picked, but is in use"
    return await held(cluster, choice, at)


async def held(cluster: KubernetesCluster, choice: Choice, at: int) -> str:
    try:
        await cluster.hold_address(choice.address, "default", f"op-{at}")
    except DomainError as refused:
        return f"{choice}: {refused!r}"
    return "" if ip_address(choice.address) in ip_network(choice.range) else f"{choice}: not in its range"
