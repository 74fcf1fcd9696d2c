"""Where the bearer token may go, and whose quota a request is taken from."""

import pytest

from services.gateways.azure.pipeline import same_host, subscription_of

ARM = "https://management.azure.com"


@pytest.mark.parametrize(
    "url",
    [
        "https://management.azure.com/subscriptions",
        "https://MANAGEMENT.azure.com:443/x?y=z",
        "HTTPS://management.azure.com",
    ],
)
def test_arm_is_recognised_in_every_spelling(url: str) -> None:
    assert same_host(url, ARM)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/subscriptions",
        "http://management.azure.com/",
        "https://management.azure.com:8443/",
        "https://management.azure.com.evil.example/",
        "https://management.azure.com@evil.example/",
        "https://evil.example/https://management.azure.com/",
        "https://management.azure.com:99999999/",
        "https://[management.azure.com/",
        "https://westeurope.dp.kubernetesconfiguration.azure.com/operations/1",
    ],
)
def test_every_other_place_is_foreign(url: str) -> None:
    assert not same_host(url, ARM)


@pytest.mark.parametrize(
    ("url", "subscription"),
    [
        (f"{ARM}/subscriptions/ABC/resourceGroups/x?api-version=1", "abc"),
        (f"{ARM}/Subscriptions/abc", "abc"),
        (f"{ARM}/subscriptions", ""),
        (f"{ARM}/tenants", ""),
    ],
)
def test_a_request_names_its_subscription(url: str, subscription: str) -> None:
    assert subscription_of(url) == subscription
