"""The guard that keeps every test on this machine."""

import asyncio
import socket
from collections.abc import Iterator

import aiohttp
import pytest

from sandbox.testing.loopback import REFUSED, OutsideError

OUTSIDE = "192.0.2.1"
"""An address of the block that RFC 5737 reserves for documentation: nobody answers there."""


@pytest.fixture
def refused() -> Iterator[list[str]]:
    """What the guard refuses; the test that provokes it does not fail by it."""
    yield REFUSED
    REFUSED.clear()


def test_a_socket_neither_connects_nor_sends_nor_listens_beyond_this_machine(refused: list[str]) -> None:
    with socket.socket() as stream, pytest.raises(OutsideError):
        stream.connect((OUTSIDE, 443))
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(OutsideError):
        datagrams.sendto(b"", (OUTSIDE, 53))
    with socket.socket() as server, pytest.raises(OutsideError):
        server.bind(("", 0))

    assert refused == [f"reach {OUTSIDE}", f"reach {OUTSIDE}", "listen on every interface"]


async def test_clients_neither_resolve_names_nor_reach_addresses_beyond_this_machine(refused: list[str]) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(OutsideError):
            await http.get("https://management.azure.com")
    with pytest.raises(OutsideError):
        await asyncio.open_connection(OUTSIDE, 443)

    assert refused == ["resolve management.azure.com", f"reach {OUTSIDE}"]


def test_the_loopback_interface_is_open(refused: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()

    assert refused == []
