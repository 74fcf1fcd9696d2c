"""What the edge's kubelet makes of Pods."""

import base64
import json
from typing import Any

import pytest

from sandbox.edge import pods
from sandbox.edge.pods import Image

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("10.96.0.10/hello-world:latest", Image("10.96.0.10", "hello-world", "latest")),
        ("10.96.0.10:443/a/b", Image("10.96.0.10:443", "a/b", "latest")),
        (f"10.96.0.10/a@{DIGEST}", Image("10.96.0.10", "a", DIGEST)),
        ("library/nginx:1.25", Image("", "library/nginx", "1.25")),
        ("localhost/nginx", Image("localhost", "nginx", "latest")),
    ],
)
def test_image_references_are_taken_apart(text: str, parts: Image) -> None:
    assert pods.image(text) == parts


def secret(auths: dict[str, Any]) -> dict[str, Any]:
    return {"data": {".dockerconfigjson": base64.b64encode(json.dumps({"auths": auths}).encode()).decode()}}


@pytest.mark.parametrize("key", ["10.96.0.10", "https://10.96.0.10", "10.96.0.10:443"])
def test_credentials_are_found_under_each_way_to_write_the_host(key: str) -> None:
    assert pods.credentials(secret({key: {"username": "t", "password": "p"}}), "10.96.0.10") == ("t", "p")


def test_credentials_may_be_given_as_auth_alone() -> None:
    encoded = base64.b64encode(b"t:p:q").decode()

    assert pods.credentials(secret({"10.96.0.10": {"auth": encoded}}), "10.96.0.10") == ("t", "p:q")


@pytest.mark.parametrize(
    "result", [None, {}, {"data": {".dockerconfigjson": "%%"}}, secret({"other.io": {"auth": ""}})]
)
def test_a_secret_without_credentials_for_the_host_has_none(result: Any) -> None:
    assert pods.credentials(result, "10.96.0.10") is None
