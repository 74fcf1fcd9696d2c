"""Service addresses: which are valid, which are free, and which one is chosen.

Follows what was measured on an API server of version 1.37, and its source (ipallocator/cidrallocator.go): a dry run
checks an address against one of the ranges, picked at random, and names it; only a real create looks whether it is in
use and knows all ranges, and it names none. Versions without ServiceCIDR objects check both against their one range.
"""

import ipaddress
import itertools
import random
from collections.abc import Callable, Collection, Iterator, Sequence

from sandbox.kube.resources import SERVICES
from sandbox.kube.status import StatusError, Verbatim, internal, invalid, wrong

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

IN_USE = "provided IP is already allocated"
OTHER_NETWORK = "the provided network does not match the current range"
LARGEST_STATIC_BAND = 256
SMALLEST_STATIC_BAND = 16


def bounds(network: Network) -> tuple[Address, Address]:
    """The first and last address for a Service: without the network's own and (IPv4) the broadcast address."""
    first, last = network.network_address + 1, network.broadcast_address
    return first, last - 1 if network.version == 4 else last  # noqa: PLR2004


def static_band(network: Network) -> int:
    """How many addresses at the low end are picked only when the rest is full."""
    size = network.num_addresses
    if size <= SMALLEST_STATIC_BAND:
        return 0
    return min(max(SMALLEST_STATIC_BAND, size // SMALLEST_STATIC_BAND), LARGEST_STATIC_BAND)


def refusal(
    address: Address, ranges: Sequence[Network], used: Collection[str], *, dry_run: bool, names_range: bool
) -> str | None:
    """Why a Service can't have this address, in the API server's words; None if it can.

    `names_range`: whether the text names the range, as in a dry run or in a version without ServiceCIDR objects.
    """
    if names_range and not _is_in(address, ranges[0]):
        return f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {ranges[0]}"
    if not any(_is_in(address, network) for network in ranges):
        return OTHER_NETWORK
    return IN_USE if not dry_run and str(address) in used else None


def _is_in(address: Address, network: Network) -> bool:
    first, last = bounds(network)
    return address.version == first.version and int(first) <= int(address) <= int(last)


def pick(ranges: Sequence[Network], used: Collection[str], chance: random.Random) -> str:
    """A free address: at random from the dynamic band of the first range that has one, else from its static band.

    Raises:
        StatusError: 500, when every range is full.
    """
    for network in ranges:
        first, last = bounds(network)
        offset = int(first) + static_band(network)
        for low, high in ((offset, int(last)), (int(first), offset - 1)):
            for number in _from_random_start(low, high, chance):
                address = str(ipaddress.ip_address(number) if network.version == 4 else ipaddress.IPv6Address(number))  # noqa: PLR2004
                if address not in used:
                    return address
    raise internal("failed to allocate a serviceIP: range is full")


def _from_random_start(low: int, high: int, chance: random.Random) -> Iterator[int]:
    if low > high:
        return
    start = chance.randint(low, high)
    yield from range(start, high + 1)
    yield from range(low, start)


def refused(name: str, address: str, listed: Sequence[str], why: str, minor: int) -> StatusError:
    """422 for a Service whose address can't be allocated."""
    error = wrong("spec.clusterIPs", list_text(listed, minor), f"failed to allocate IP {address}: {why}")
    return invalid(SERVICES, name, [error])


GO_SYNTAX_UNTIL = 33


def list_text(values: Sequence[str], minor: int) -> Verbatim | list[str]:
    """A list of strings as the API server of that minor version prints it in a refusal."""
    if minor > GO_SYNTAX_UNTIL:
        return list(values)
    return Verbatim("[]string{" + ", ".join(f'"{value}"' for value in values) + "}")


NODE_PORTS = range(30000, 32768)


def node_port(used: Collection[int], chance: Callable[[int, int], int]) -> int:
    """A free port on every node.

    Raises:
        StatusError: 500, when there is none.
    """
    start: int = chance(NODE_PORTS.start, NODE_PORTS.stop - 1)
    for port in itertools.chain(range(start, NODE_PORTS.stop), range(NODE_PORTS.start, start)):
        if port not in used:
            return port
    raise internal("failed to allocate a nodePort: range is full")
