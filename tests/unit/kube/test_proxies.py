"""Addresses that are reached without a proxy."""

import pytest

from services.gateways.proxies import is_direct


@pytest.mark.parametrize(
    ("url", "listed", "direct"),
    [
        ("https://127.0.0.1:47011/proxies/b7aaf9dd", "", True),
        ("https://[::1]:47011", "", True),
        ("https://localhost:47011", "10.0.0.0/8", True),
        ("https://10.1.2.3", "localhost, 10.0.0.0/8", True),
        ("https://[fd00::1]:6443", "fd00::/8", True),
        ("https://192.168.0.1", "10.0.0.0/8", False),
        ("https://10.1.2.3", "fd00::/8", False),
        ("https://10.1.2.3", "10.0.0.0/99", False),
        ("https://10.1.2.3", "", False),
        ("https://management.azure.com", "10.0.0.0/8", False),
        ("", "10.0.0.0/8", False),
    ],
)
def test_this_machine_and_an_address_within_a_listed_network_are_reached_directly(
    url: str, listed: str, direct: bool
) -> None:
    assert is_direct(url, {"NO_PROXY": listed}) is direct
