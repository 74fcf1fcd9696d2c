"""What a workload is asked to be, and the names that are made of it."""

from typing import Any

import pytest

from services.model.errors import Invalid
from services.operations.workload.request import WorkloadOptions, WorkloadRequest, workload_request
from services.operations.workload_removal import Place
from tests.golden.values import SITE

DIGEST = "sha256:" + "0" * 64


def request(image: str = "hello-world:latest", **options: Any) -> WorkloadRequest:
    return workload_request(SITE, "edge01", WorkloadOptions(image, **options))


@pytest.mark.parametrize(
    ("image", "repository", "reference"),
    [
        ("hello-world", "hello-world", "latest"),
        ("team/app:v1.2_3", "team/app", "v1.2_3"),
        (f"team/app@{DIGEST}", "team/app", DIGEST),
    ],
)
def test_an_image_is_a_repository_with_a_tag_or_a_digest(image: str, repository: str, reference: str) -> None:
    made = request(image)
    assert (made.repository, made.reference) == (repository, reference)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"image": "contosoacr.azurecr.io/hello-world:latest"}, "image.host"),
        ({"image": "10.96.0.2:443/hello-world:latest"}, "image.host"),
        ({"image": "Hello:latest"}, "image.pattern"),
        ({"image": "hello:"}, "image.pattern"),
        ({"image": "hello@sha256:abc"}, "image.pattern"),
        ({"image": f"hello:v1@{DIGEST}"}, "image.both"),
        ({"image": "10.96.0.2/hello-world"}, "image.host"),
        ({"workload": "Hello"}, "workload.pattern"),
        ({"workload": "a" * 41}, "workload.pattern"),
        ({"namespace": "-shop"}, "namespace.pattern"),
        ({"replicas": 0}, "number.bounds"),
        ({"port": 65536}, "number.bounds"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused(options: dict[str, Any], rule: str) -> None:
    with pytest.raises(Invalid) as caught:
        request(**options)
    assert caught.value.rule == rule


def test_the_workload_is_named_after_the_repository() -> None:
    assert request("team/my_great.app").place.name == "my-great-app"


def test_the_edge_stands_in_front_of_the_image() -> None:
    assert request().image_at("10.96.0.2") == "10.96.0.2/hello-world:latest"
    assert request().image_at("fd00::2") == "[fd00::2]/hello-world:latest"


def test_tokens_of_two_workloads_have_two_names_that_fit() -> None:
    long = [Place("a" * 63, "b" * 40).token("c" * 40), Place("a" * 63, "b" * 39).token("c" * 40)]
    similar = [Place("team", "a-x").token("edge01"), Place("team-a", "x").token("edge01")]

    assert len({*long, *similar}) == 4
    assert all(5 <= len(name) <= 50 for name in (*long, *similar))
