"""Who may do what: tokens, role-based access control, and reviews."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from kubernetes.aio import client
from kubernetes.aio.client import ApiException

from sandbox.tests.contract.kube.conftest import api, eventually
from sandbox.tests.contract.kube.test_service_addresses import refusal, service


async def test_an_unknown_token_is_unauthorized(core: Any, connect: Any) -> None:
    stranger = await connect("berlin-admin")
    stranger.configuration.api_key = {"BearerToken": "Bearer nobody"}
    stranger.configuration.refresh_api_key_hook = None

    status = await refusal(api(client.CoreV1Api, stranger).list_namespace())

    assert (status["code"], status["reason"], status["message"]) == (401, "Unauthorized", "Unauthorized")


async def test_a_refused_list_says_who_may_not_do_what(bot: Any) -> None:
    status = await refusal(api(client.CoreV1Api, bot).list_secret_for_all_namespaces())

    assert (status["code"], status["reason"]) == (403, "Forbidden")
    assert status["message"] == (
        'secrets is forbidden: User "bot" cannot list resource "secrets" in API group "" at the cluster scope'
    )


async def test_a_refused_read_names_the_object_and_the_namespace(bot: Any) -> None:
    status = await refusal(api(client.AppsV1Api, bot).read_namespaced_stateful_set("db", "kube-system"))

    assert status["message"] == (
        'statefulsets.apps "db" is forbidden: User "bot" cannot get resource "statefulsets" in API group "apps" '
        'in the namespace "kube-system"'
    )


async def test_the_bot_sees_services_and_ranges_everywhere(bot: Any) -> None:
    services = await api(client.CoreV1Api, bot).list_service_for_all_namespaces()
    ranges = await api(client.NetworkingV1Api, bot).list_service_cidr()

    assert "kubernetes" in {one.metadata.name for one in services.items}
    assert ranges.items


async def test_the_bot_may_not_make_services_just_anywhere(bot: Any, namespace: str) -> None:
    status = await refusal(api(client.CoreV1Api, bot).create_namespaced_service(namespace, service()))

    assert status["message"] == (
        'services is forbidden: User "bot" cannot create resource "services" in API group "" '
        f'in the namespace "{namespace}"'
    )


async def test_the_reader_changes_nothing(reader: Any, namespace: str) -> None:
    looking = api(client.CoreV1Api, reader)

    assert await looking.list_namespace()
    status = await refusal(looking.delete_namespace(namespace))
    assert status["code"] == 403


@pytest.mark.parametrize(("verb", "allowed"), [("list", True), ("delete", False)])
async def test_somebody_can_ask_what_they_may_do(bot: Any, verb: str, allowed: bool) -> None:
    spec = {"resourceAttributes": {"verb": verb, "resource": "nodes"}}

    review = await api(client.AuthorizationV1Api, bot).create_self_subject_access_review({"spec": spec})

    assert review.status.allowed is allowed


async def test_somebody_can_ask_who_they_are(bot: Any) -> None:
    review = await api(client.AuthenticationV1Api, bot).create_self_subject_review({})

    assert review.status.user_info.username == "bot"
    assert review.status.user_info.groups == ["system:authenticated"]


async def test_a_role_binding_takes_effect(admin: Any, bot: Any, namespace: str) -> None:
    rights = api(client.RbacAuthorizationV1Api, admin)
    rules = [{"apiGroups": [""], "resources": ["services"], "verbs": ["create"]}]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "maker"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bot"}
    await rights.create_namespaced_role(namespace, {"metadata": {"name": "maker"}, "rules": rules})
    await rights.create_namespaced_role_binding(
        namespace, {"metadata": {"name": "maker"}, "roleRef": reference, "subjects": [subject]}
    )

    review = api(client.AuthorizationV1Api, bot)
    attributes = {"verb": "create", "resource": "services", "namespace": namespace}

    async def is_allowed() -> bool:
        answer = await review.create_self_subject_access_review({"spec": {"resourceAttributes": attributes}})
        return bool(answer.status.allowed)

    await eventually(is_allowed)
    created = await api(client.CoreV1Api, bot).create_namespaced_service(namespace, service())

    assert created.metadata.name == "placed"


async def test_nobody_in_particular_may_ask_for_health_only(kubeconfig: Path) -> None:
    content = yaml.safe_load(await asyncio.to_thread(kubeconfig.read_text))
    server = content["clusters"][0]["cluster"]["server"]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        health = await session.get(f"{server}/readyz")
        listing = await session.get(f"{server}/api/v1/nodes")

        assert (health.status, await health.text()) == (200, "ok")
        assert listing.status in {401, 403}


async def test_a_group_that_is_not_served_is_a_page_that_is_not_found(admin: Any) -> None:
    custom = api(client.CustomObjectsApi, admin)

    with pytest.raises(ApiException) as refused:
        await custom.list_cluster_custom_object("nothing.example", "v1", "things")

    assert (refused.value.status, refused.value.body) == (404, "404 page not found\n")


async def test_kinds_are_listed_in_the_order_of_their_names(admin: Any) -> None:
    resources = await api(client.CoreV1Api, admin).get_api_resources()

    names = [one.name for one in resources.resources if "/" not in one.name]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "kind",
    ["configmaps", "endpoints", "persistentvolumeclaims", "pods", "replicationcontrollers", "secrets", "services"],
)
async def test_what_kubectl_looks_through_when_it_prunes_is_served(admin: Any, kind: str) -> None:
    """`kubectl apply --prune` and `kubectl cluster-info dump` end with an error where one of them isn't known."""
    resources = await api(client.CoreV1Api, admin).get_api_resources()

    assert kind in [one.name for one in resources.resources]


async def test_the_server_says_its_version(admin: Any) -> None:
    version = await api(client.VersionApi, admin).get_code()

    assert version.git_version.startswith("v1.")


async def test_resources_are_listed_with_their_verbs(admin: Any) -> None:
    listed = await api(client.CoreV1Api, admin).get_api_resources()

    services = next(one for one in listed.resources if one.name == "services")
    assert services.short_names == ["svc"]
    assert {"create", "delete", "get", "list", "patch", "update", "watch"} <= set(services.verbs)
