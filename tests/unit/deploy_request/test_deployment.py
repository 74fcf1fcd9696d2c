"""A request is filled up from the site's defaults, and its values are held to their rules."""

from datetime import timedelta
from typing import Any

import pytest

from handlers.views.errors import explanation
from services.model.errors import Invalid
from services.operations.deploy.request import DeployOptions, deploy_request
from services.policy.sites import Site

SITE = Site.model_validate(
    {
        "name": "berlin",
        "environment": "development",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "resource_group": "edge-rg",
        "acr": {"name": "contosoacr"},
        "cluster": {"name": "berlin-arc"},
        "sync": {"repositories": ["hello-world"], "mode": "ReadWrite", "message_ttl": "P3D"},
        "extension": {"service_ip": "10.96.0.44", "storage_class": "fast"},
    }
)
BARE = SITE.model_copy(update={"sync": SITE.sync.model_copy(update={"repositories": ()})})


def test_what_was_not_said_comes_from_the_site() -> None:
    request = deploy_request(SITE, "edge01")

    assert (request.repositories, request.mode, request.message_ttl) == (
        ("hello-world",),
        "ReadWrite",
        timedelta(days=3),
    )
    assert (request.service_ip, request.storage_class, request.extension_name) == ("10.96.0.44", "fast", "edge01")


def test_what_was_said_wins() -> None:
    request = deploy_request(SITE, "edge01", DeployOptions(("nginx", "nginx"), mode="readonly", service_ip="fd00:0::1"))

    assert (request.repositories, request.mode, request.service_ip) == (("nginx",), "ReadOnly", "fd00::1")


def test_scope_map_and_token_bear_the_registrys_name() -> None:
    request = deploy_request(SITE, "edge01")

    assert (request.scope_map_name, request.token_name) == ("edge01", "edge01")


def test_a_request_about_a_site_alone_needs_no_repository() -> None:
    assert deploy_request(BARE, None).name == ""


WRONG: tuple[tuple[str, dict[str, Any]], ...] = (
    ("name.pattern", {"name": "Edge-01"}),
    ("name.pattern", {"name": "edge"}),
    ("name.pattern", {"name": ""}),
    ("repository.pattern", {"repositories": ["Hello"]}),
    ("repository.pattern", {"repositories": ["hello:latest"]}),
    ("repository.wildcard", {"repositories": ["team/*"]}),
    ("mode.unknown", {"mode": "mirror"}),
    ("cron.fields", {"schedule": "daily"}),
    ("cron.step", {"schedule": "*/90 * * * *"}),
    ("cron.never", {"schedule": "0 2 30 2 *"}),
    ("cron.backwards", {"schedule": "0 5-2 * * *"}),
    ("schedule.pattern", {"schedule": "@daily"}),
    ("schedule.pattern", {"schedule": "0 2 L * *"}),
    ("window.missing", {"schedule": "0 3 * * *"}),
    ("window.bounds", {"schedule": "0 3 * * *", "window": timedelta(minutes=5)}),
    ("window.bounds", {"schedule": "0 3 * * *", "window": timedelta()}),
    ("message_ttl.bounds", {"message_ttl": timedelta(days=91)}),
    ("message_ttl.bounds", {"message_ttl": timedelta()}),
    ("address.pattern", {"service_ip": "10.96.0"}),
    ("storage_request.pattern", {"storage_request": "lots"}),
    ("storage_request.pattern", {"storage_request": "0Gi"}),
    ("extension_name.pattern", {"extension_name": "-edge"}),
)


def requested(name: str = "edge01", **options: Any) -> None:
    deploy_request(SITE, name, DeployOptions(**options))


@pytest.mark.parametrize(("rule", "said"), WRONG)
def test_a_wrong_value_is_refused_by_its_rule(rule: str, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        requested(**said)
    assert refused.value.rule == rule


@pytest.mark.parametrize(("rule", "said"), WRONG)
def test_every_rule_has_a_sentence_of_its_own(rule: str, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        requested(**said)
    assert rule not in explanation(refused.value)


def test_a_registry_without_repositories_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        deploy_request(BARE, "edge01")
    assert "Nothing would be synced" in explanation(refused.value)
