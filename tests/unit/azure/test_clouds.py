"""The clouds that the bot can live in."""

import pytest

from services.gateways.azure import cloud
from services.model.errors import Invalid, NotFound


@pytest.mark.parametrize(
    ("name", "manager", "authority"),
    [
        ("public", "https://management.azure.com", "https://login.microsoftonline.com"),
        ("AzureChinaCloud", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
        ("US-Government", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
    ],
)
def test_a_cloud_is_known_by_our_name_and_the_azure_clis(name: str, manager: str, authority: str) -> None:
    found = cloud(name)
    assert (found.resource_manager, found.authority) == (manager, authority)


def test_an_unknown_cloud_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFound) as caught:
        cloud("germany")
    assert caught.value.near == ("public", "china", "us-government")


def test_a_private_cloud_brings_its_own_addresses() -> None:
    found = cloud("public", authority="https://127.0.0.1:8701/", resource_manager="https://arm.local:8701")
    assert found.authority == "https://127.0.0.1:8701"
    assert found.resource_manager == "https://arm.local:8701"
    assert found.scope == "https://management.azure.com/.default"


@pytest.mark.parametrize("url", ["http://arm.local", "https://", "https://user@arm.local", "https://arm.local?x=1"])
def test_an_address_that_is_not_plain_https_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        cloud("public", resource_manager=url)
