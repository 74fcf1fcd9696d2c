"""Which addresses are reached without a proxy, by the rules of kubectl and curl; aiohttp has fewer."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit


def is_direct(url: str, environment: Mapping[str, str]) -> bool:
    """Whether a URL's host is this machine, or an address within a network of `NO_PROXY`.

    Entries that are no networks are left to aiohttp. Go's clients, kubectl among them, never use a proxy for a loopback
    address (net/http: ProxyFromEnvironment), and an Arc proxy listens on one.
    """
    if is_loopback(url):
        return True
    try:
        address = ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return any(_holds(entry.strip(), address) for entry in listed.split(",") if "/" in entry)


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _holds(entry: str, address: object) -> bool:
    try:
        return address in ip_network(entry, strict=False)
    except ValueError:
        return False
