"""Which Service address a connected registry gets, and whether a given one will do. Pure.

Kubernetes keeps the low end of a Service range for addresses that people choose, and takes its own picks from above it
as long as it can (kubernetes.io, Service ClusterIP allocation). Only a real create proves that an address is free.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import chain
from typing import Literal

from services.model.kubernetes import ServiceRanges

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Band = Literal["static", "dynamic"]
BANDS: tuple[Band, ...] = ("static", "dynamic")

SMALLEST_BAND, LARGEST_BAND, BAND_SHARE = 16, 256, 16
IPV4 = 4


@dataclass(frozen=True)
class Choice:
    """A free address. `band` is `dynamic` when the static one is full: the cluster itself picks there too."""

    address: str
    range: str
    band: Band


@dataclass(frozen=True)
class Full:
    """No range has a free address. `size` counts their usable addresses, `used` and `leased` those among them."""

    ranges: tuple[str, ...]
    size: int
    used: int
    leased: int


@dataclass(frozen=True)
class Assessment:
    """Whether a given address will do; `facts` say what is in the way."""

    verdict: Literal["ok", "outside", "reserved", "taken", "leased"]
    facts: Mapping[str, object] = field(default_factory=dict)


def choose(service_ranges: ServiceRanges, leased: Collection[str] = (), former: str = "") -> Choice | Full:
    """The former address if it is free, else the lowest free one, static bands first.

    `leased` are addresses that other operations have spoken for.
    """
    lowest = candidates(service_ranges, leased)
    return _former(former, service_ranges, leased) or next(lowest, None) or _full(service_ranges, leased)


def candidates(service_ranges: ServiceRanges, leased: Collection[str] = ()) -> Iterator[Choice]:
    """All free addresses in the order in which they are to be tried; only listed ones where there is a list."""
    barred = _addresses(service_ranges.used) | _addresses(leased)
    if service_ranges.listed:
        free = [text for text in service_ranges.listed if ip_address(text) not in barred]
        return iter([Choice(address, service_ranges.ranges[0], "static") for address in free])
    networks = [ip_network(text) for text in service_ranges.ranges]
    static = (_free(network, "static", barred) for network in networks)
    dynamic = (_free(network, "dynamic", barred) for network in networks)
    return chain.from_iterable(chain(static, dynamic))


def assess_address(address: str, service_ranges: ServiceRanges, leased: Collection[str] = ()) -> Assessment:
    """What is known of a given address. `ok` is no proof: somebody may take it until it is held."""
    candidate = ip_address(address)
    homes = [network for text in service_ranges.ranges if candidate in (network := ip_network(text))]
    if not homes:
        return Assessment("outside", {"ranges": service_ranges.ranges})
    if not any(_is_usable(candidate, network) for network in homes):
        return Assessment("reserved", {"range": str(homes[0])})
    if candidate in _addresses(service_ranges.used):
        return Assessment("taken", {"range": str(homes[0])})
    if candidate in _addresses(leased):
        return Assessment("leased", {"range": str(homes[0])})
    return Assessment("ok", {"range": str(homes[0])})


def first_free(addresses: Iterable[str], service_ranges: ServiceRanges, leased: Collection[str] = ()) -> str | None:
    """The first of these that will do; one of those that are listed, where there is a list. None: none will."""
    listed = _addresses(service_ranges.listed)
    for address in addresses:
        is_listed = not listed or ip_address(address) in listed
        if is_listed and assess_address(address, service_ranges, leased).verdict == "ok":
            return address
    return None


def static_band(network: Network) -> int:
    """How many usable addresses at the low end are kept for chosen ones; a range of up to 16 addresses has no band."""
    size = network.num_addresses
    if size <= SMALLEST_BAND:
        return 0
    return min(max(SMALLEST_BAND, size // BAND_SHARE), LARGEST_BAND)


def _former(former: str, service_ranges: ServiceRanges, leased: Collection[str]) -> Choice | None:
    """An address that will do again. It is looked up and not walked to: nobody comes to the end of an IPv6 range."""
    if not former or first_free((former,), service_ranges, leased) is None:
        return None
    if service_ranges.listed:
        return Choice(former, service_ranges.ranges[0], "static")
    address = ip_address(former)
    for network in map(ip_network, service_ranges.ranges):
        for band in BANDS:
            if address in network and int(address) in _numbers(network, band):
                return Choice(former, str(network), band)
    return None


def _numbers(network: Network, band: Band) -> range:
    first, last = _bounds(network)
    split = int(first) + static_band(network)
    # The first usable address is the API server's own Service's (in the first range; elsewhere it is spared).
    if band == "static":
        return range(int(first) + 1, min(split, int(last) + 1))
    return range(max(split, int(first) + 1), int(last) + 1)


def _free(network: Network, band: Band, barred: Collection[Address]) -> Iterator[Choice]:
    for number in _numbers(network, band):
        address = _address(number, network)
        if address not in barred:
            yield Choice(str(address), str(network), band)


def _full(service_ranges: ServiceRanges, leased: Collection[str]) -> Full:
    networks = [ip_network(text) for text in service_ranges.ranges]
    size = sum(max(int(last) - int(first) + 1, 0) for first, last in map(_bounds, networks))
    used, spoken_for = _addresses(service_ranges.used), _addresses(leased)
    return Full(service_ranges.ranges, size, _inside(used, networks), _inside(spoken_for - used, networks))


def _inside(addresses: Collection[Address], networks: list[Network]) -> int:
    return sum(any(address in network for network in networks) for address in addresses)


def _is_usable(address: Address, network: Network) -> bool:
    first, last = _bounds(network)
    return int(first) <= int(address) <= int(last)


def _bounds(network: Network) -> tuple[Address, Address]:
    """First and last address that a Service can have: not the network's own, nor (IPv4) the broadcast address."""
    last = network.broadcast_address
    return network.network_address + 1, last - 1 if network.version == IPV4 else last


def _address(number: int, network: Network) -> Address:
    return IPv4Address(number) if network.version == IPV4 else IPv6Address(number)


def _addresses(texts: Collection[str]) -> frozenset[Address]:
    return frozenset(ip_address(text) for text in texts)
