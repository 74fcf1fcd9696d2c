"""A guard that keeps tests on this machine.

It is an audit hook on Python's sockets, which asyncio and the HTTP clients use too. It lets them connect, send and
listen on the loopback interface only, and resolve no other names. Not guarded are child processes, and addresses that
a library in C, such as PostgreSQL's, connects to by itself.
"""

import ipaddress
import socket
import sys
from typing import Any

ON_SOCKETS = {
    "socket.bind": "listen on",
    "socket.connect": "reach",
    "socket.sendmsg": "reach",
    "socket.sendto": "reach",
}
"""Audit events whose arguments are a socket and an address, with a word for what is tried."""
ON_NAMES = {"socket.getaddrinfo", "socket.gethostbyname"}
"""Audit events whose first argument is a host or None."""
REFUSED: list[str] = []
"""What was tried beyond this machine. A test suite looks here after each test: code may have caught the error."""


class OutsideError(Exception):
    """Something beyond this machine is refused. It is no `OSError`, which code would take for a network fault."""


def install() -> None:
    """Guard this process until it ends: an audit hook cannot be removed."""
    sys.addaudithook(_guard)


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ON_NAMES and arguments[0]:
        host = arguments[0]
        _require_loopback("resolve", host.decode() if isinstance(host, bytes) else host)
    elif event in ON_SOCKETS:
        sender, address = arguments[:2]
        # A connected socket sends without an address, and addresses of other families lead to no network.
        if address and sender.family in {socket.AF_INET, socket.AF_INET6}:
            _require_loopback(ON_SOCKETS[event], address[0])


def _require_loopback(verb: str, host: str) -> None:
    try:
        is_loopback = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        is_loopback = host == "localhost" or host.endswith(".localhost")
    if not is_loopback:
        REFUSED.append(f"{verb} {host or 'every interface'}")
        raise OutsideError(f"A test tried to {REFUSED[-1]}: tests use the loopback interface only.")
