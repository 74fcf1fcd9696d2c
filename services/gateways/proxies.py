"""Networks in `NO_PROXY`, which kubectl and curl understand and aiohttp does not."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit


def is_direct(url: str, environment: Mapping[str, str]) -> bool:
    """Whether a URL's host is an address within a network of `NO_PROXY`; entries that are none are left to aiohttp."""
    try:
        address = ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return any(_holds(entry.strip(), address) for entry in listed.split(",") if "/" in entry)


def _holds(entry: str, address: object) -> bool:
    try:
        return address in ip_network(entry, strict=False)
    except ValueError:
        return False
