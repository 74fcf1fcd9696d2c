"""Making, reading, changing and deleting objects, as any API server does it."""

import base64
import json
import re
from typing import Any

import pytest
from kubernetes.aio import client
from kubernetes.aio.client import ApiException

from sandbox.testing import watches
from sandbox.tests.contract.kube.conftest import api
from sandbox.tests.contract.kube.test_service_addresses import refusal


def config_map(name: str = "settings", **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"part": name}}, "data": data or {"a": "1"}}


async def test_a_new_object_is_given_its_identity(core: Any, namespace: str) -> None:
    created = await core.create_namespaced_config_map(namespace, config_map())

    assert created.metadata.uid
    assert created.metadata.resource_version.isdigit()
    assert created.metadata.creation_timestamp is not None


async def test_a_name_can_be_used_once(core: Any, namespace: str) -> None:
    await core.create_namespaced_config_map(namespace, config_map())

    status = await refusal(core.create_namespaced_config_map(namespace, config_map()))

    assert (status["code"], status["reason"]) == (409, "AlreadyExists")
    assert status["message"] == 'configmaps "settings" already exists'


async def test_a_name_can_be_made_up(core: Any, namespace: str) -> None:
    created = await core.create_namespaced_config_map(namespace, {"metadata": {"generateName": "made-"}})

    assert len(created.metadata.name) == len("made-") + 5


async def test_what_is_not_there_is_not_found(core: Any, namespace: str) -> None:
    status = await refusal(core.read_namespaced_config_map("nothing", namespace))

    assert status["message"] == 'configmaps "nothing" not found'
    assert status["details"] == {"name": "nothing", "kind": "configmaps"}


async def test_a_name_has_to_be_a_dns_name(core: Any) -> None:
    status = await refusal(core.create_namespace({"metadata": {"name": "Not_Good"}}))

    assert status["code"] == 422
    assert status["message"] == (
        'Namespace "Not_Good" is invalid: metadata.name: Invalid value: "Not_Good": a lowercase RFC 1123 label must '
        "consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character "
        "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    )


async def test_a_stale_replacement_is_a_conflict(core: Any, namespace: str) -> None:
    old = await core.create_namespaced_config_map(namespace, config_map())
    await core.patch_namespaced_config_map("settings", namespace, {"data": {"a": "2"}})

    status = await refusal(core.replace_namespaced_config_map("settings", namespace, old))

    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert status["message"] == (
        'Operation cannot be fulfilled on configmaps "settings": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


async def test_a_change_that_changes_nothing_keeps_the_version(core: Any, namespace: str) -> None:
    created = await core.create_namespaced_config_map(namespace, config_map())

    patched = await core.patch_namespaced_config_map("settings", namespace, {"data": {"a": "1"}})

    assert patched.metadata.resource_version == created.metadata.resource_version


async def test_a_list_is_chosen_by_labels(core: Any, namespace: str) -> None:
    for name in ("one", "two", "three"):
        await core.create_namespaced_config_map(namespace, config_map(name))

    listed = await core.list_namespaced_config_map(namespace, label_selector="part in (one, three)")
    others = await core.list_namespaced_config_map(namespace, label_selector="part,part!=two")

    assert [one.metadata.name for one in listed.items] == ["one", "three"]
    assert [one.metadata.name for one in others.items] == ["one", "three"]


async def test_a_list_is_chosen_by_fields(core: Any, namespace: str) -> None:
    for name in ("one", "two"):
        await core.create_namespaced_config_map(namespace, config_map(name))

    listed = await core.list_namespaced_config_map(namespace, field_selector="metadata.name=two")

    assert [one.metadata.name for one in listed.items] == ["two"]


async def test_a_field_that_can_not_be_selected_by_is_refused(core: Any, namespace: str) -> None:
    status = await refusal(core.list_namespaced_config_map(namespace, field_selector="data.a=1"))

    assert status["code"] == 400
    assert status["message"] == ('"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"')


async def test_kinds_with_fields_of_their_own_refuse_others_in_their_own_words(core: Any, namespace: str) -> None:
    status = await refusal(core.list_namespaced_pod(namespace, field_selector="data.a=1"))

    assert (status["code"], status["message"]) == (400, "field label not supported: data.a")


async def test_a_long_list_comes_in_pages(core: Any, namespace: str) -> None:
    for name in ("p1", "p2", "p3"):
        await core.create_namespaced_config_map(namespace, config_map(name))
    names = []

    page = await core.list_namespaced_config_map(namespace, limit=2)
    names += [one.metadata.name for one in page.items]
    remainder = await core.list_namespaced_config_map(namespace, limit=10, _continue=page.metadata._continue)
    names += [one.metadata.name for one in remainder.items]

    assert len(page.items) == 2
    assert [name for name in names if name.startswith("p")] == ["p1", "p2", "p3"]
    assert remainder.metadata._continue in (None, "")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ([{"op": "add", "path": "/data/b", "value": "2"}], "application/json-patch+json"),
        ({"data": {"b": "2"}}, "application/merge-patch+json"),
        ({"data": {"b": "2"}}, "application/strategic-merge-patch+json"),
    ],
)
async def test_every_patch_type_adds_to_what_is_there(core: Any, namespace: str, body: Any, content_type: str) -> None:
    await core.create_namespaced_config_map(namespace, config_map())

    patched = await core.patch_namespaced_config_map("settings", namespace, body, _content_type=content_type)

    assert patched.data == {"a": "1", "b": "2"}


async def test_a_json_patch_whose_test_fails_is_refused(core: Any, namespace: str) -> None:
    await core.create_namespaced_config_map(namespace, config_map())
    body = [{"op": "test", "path": "/data/a", "value": "2"}, {"op": "remove", "path": "/data/a"}]

    status = await refusal(
        core.patch_namespaced_config_map("settings", namespace, body, _content_type="application/json-patch+json")
    )

    assert status["code"] == 422


async def test_a_strategic_patch_changes_one_container_by_its_name(apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment(("main", "side")))
    body = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:2"}]}}}}

    patched = await apps.patch_namespaced_deployment("web", namespace, body)

    images = {one.name: one.image for one in patched.spec.template.spec.containers}
    assert images == {"main": "main:1", "side": "side:2"}


async def test_what_a_strategic_patch_adds_to_a_list_stands_before_the_rest(apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment(("main", "side")))
    body = {"spec": {"template": {"spec": {"containers": [{"name": "new", "image": "new:1"}]}}}}

    patched = await apps.patch_namespaced_deployment("web", namespace, body)

    assert [one.name for one in patched.spec.template.spec.containers] == ["new", "main", "side"]


async def test_what_a_strategic_patch_changes_in_a_list_stays_in_its_place(apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment(("main", "side")))
    body = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:2"}]}}}}

    patched = await apps.patch_namespaced_deployment("web", namespace, body)

    assert [one.name for one in patched.spec.template.spec.containers] == ["main", "side"]


def deployment(containers: tuple[str, ...] = ("main",)) -> dict[str, Any]:
    labels = {"app": "web"}
    listed = [{"name": name, "image": f"{name}:1"} for name in containers]
    template = {"metadata": {"labels": labels}, "spec": {"containers": listed}}
    return {
        "metadata": {"name": "web"},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }


APPLY = "application/apply-patch+yaml"


async def apply(core: Any, namespace: str, manager: str, data: dict[str, str], **options: Any) -> Any:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": data}
    return await core.patch_namespaced_config_map(
        "applied", namespace, body, field_manager=manager, _content_type=APPLY, **options
    )


async def test_applying_makes_what_is_not_there(core: Any, namespace: str) -> None:
    created = await apply(core, namespace, "one", {"a": "1"})

    assert created.data == {"a": "1"}
    assert [entry.manager for entry in created.metadata.managed_fields] == ["one"]


async def test_applying_makes_one_version_and_the_same_again_none(core: Any, namespace: str) -> None:
    created = await apply(core, namespace, "one", {"a": "1"})
    again = await apply(core, namespace, "one", {"a": "1"})
    current = await core.read_namespaced_config_map("applied", namespace)

    assert created.metadata.resource_version == again.metadata.resource_version == current.metadata.resource_version


async def test_applying_takes_away_what_the_same_manager_no_longer_wants(core: Any, namespace: str) -> None:
    await apply(core, namespace, "one", {"a": "1", "b": "2"})

    created = await apply(core, namespace, "one", {"a": "1"})

    assert created.data == {"a": "1"}


async def test_applying_against_another_manager_is_a_conflict(core: Any, namespace: str) -> None:
    await apply(core, namespace, "one", {"a": "1"})

    status = await refusal(apply(core, namespace, "two", {"a": "2"}))

    assert status["code"] == 409
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.a'


async def test_applying_by_force_takes_over(core: Any, namespace: str) -> None:
    await apply(core, namespace, "one", {"a": "1"})

    created = await apply(core, namespace, "two", {"a": "2"}, force=True)

    assert created.data == {"a": "2"}


async def test_fields_are_handed_over_by_writing_their_managers(core: Any, admin: Any, namespace: str) -> None:
    """As kubectl does it when an object that it made by a client-side apply is applied by the server."""
    await core.create_namespaced_config_map(namespace, config_map("applied", a="1", b="2"), field_manager="before")
    read_back = await raw(admin, f"/api/v1/namespaces/{namespace}/configmaps/applied")
    managers = [one | {"manager": "one", "operation": "Apply"} for one in read_back["metadata"]["managedFields"]]
    body = [{"op": "replace", "path": "/metadata/managedFields", "value": managers}]
    await core.patch_namespaced_config_map("applied", namespace, body, _content_type="application/json-patch+json")

    created = await apply(core, namespace, "one", {"a": "1"})

    assert created.data == {"a": "1"}


async def test_a_finalizer_holds_an_object_back(core: Any, namespace: str) -> None:
    finalized = config_map()
    finalized["metadata"]["finalizers"] = ["sandbox.example/hold"]
    await core.create_namespaced_config_map(namespace, finalized)

    await core.delete_namespaced_config_map("settings", namespace)
    waiting = await core.read_namespaced_config_map("settings", namespace)
    await core.patch_namespaced_config_map("settings", namespace, {"metadata": {"finalizers": None}})

    assert waiting.metadata.deletion_timestamp is not None
    with pytest.raises(ApiException, match="404"):
        await core.read_namespaced_config_map("settings", namespace)


async def test_a_deletion_can_be_tied_to_one_identity(core: Any, namespace: str) -> None:
    await core.create_namespaced_config_map(namespace, config_map())

    body = {"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}}
    status = await refusal(core.delete_namespaced_config_map("settings", namespace, body=body))

    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert re.fullmatch(
        'Operation cannot be fulfilled on ConfigMap "settings": the UID in the precondition '
        r"\(00000000-0000-4000-8000-000000000000\) does not match the UID in record \([0-9a-f-]{36}\)\. "
        "The object might have been deleted and then recreated",
        status["message"],
    )


async def test_a_deletion_can_be_tied_to_one_version(core: Any, namespace: str) -> None:
    await core.create_namespaced_config_map(namespace, config_map())

    body = {"preconditions": {"resourceVersion": "1"}}
    status = await refusal(core.delete_namespaced_config_map("settings", namespace, body=body))

    assert "the ResourceVersion in the precondition (1) does not match" in status["message"]
    assert status["message"].endswith("The object might have been modified")


async def test_a_namespaces_deletion_is_tied_in_other_words(core: Any, namespace: str) -> None:
    body = {"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}}
    status = await refusal(core.delete_namespace(namespace, body=body))

    assert status["message"].startswith(
        f'Operation cannot be fulfilled on namespaces "{namespace}": Precondition failed: UID in precondition: '
    )


async def test_a_collection_is_deleted_by_labels(core: Any, namespace: str) -> None:
    for name in ("one", "two"):
        await core.create_namespaced_config_map(namespace, config_map(name))

    await core.delete_collection_namespaced_config_map(namespace, label_selector="part=one")

    remaining = await core.list_namespaced_config_map(namespace, label_selector="part")
    assert [one.metadata.name for one in remaining.items] == ["two"]


async def test_a_watch_tells_what_happens_after_a_list(core: Any, namespace: str) -> None:
    before = await core.list_namespaced_config_map(namespace)
    await core.create_namespaced_config_map(namespace, config_map())
    await core.patch_namespaced_config_map("settings", namespace, {"data": {"a": "2"}})
    await core.delete_namespaced_config_map("settings", namespace)
    changes = []

    async for event in watches.events(
        core.list_namespaced_config_map,
        namespace=namespace,
        label_selector="part=settings",
        resource_version=before.metadata.resource_version,
        timeout_seconds=watches.PATIENCE,
    ):
        changes.append(event["type"])
        if event["type"] == "DELETED":
            break

    assert changes == ["ADDED", "MODIFIED", "DELETED"]


async def test_a_watch_ends_when_its_time_is_over(core: Any, namespace: str) -> None:
    listed = await core.list_namespaced_config_map(namespace)

    changes = [
        event
        async for event in watches.events(
            core.list_namespaced_config_map,
            namespace=namespace,
            resource_version=listed.metadata.resource_version,
            timeout_seconds=1,
        )
    ]

    assert changes == []


async def test_a_watch_from_a_version_that_is_forgotten_is_told_so(core: Any, namespace: str, forget: Any) -> None:
    listed = await core.list_namespaced_config_map(namespace)
    await core.create_namespaced_config_map(namespace, config_map())
    await forget()

    with pytest.raises(ApiException, match="410"):
        await anext(
            watches.events(
                core.list_namespaced_config_map,
                namespace=namespace,
                resource_version=listed.metadata.resource_version,
                timeout_seconds=watches.PATIENCE,
            )
        )


async def test_a_list_whose_place_is_forgotten_has_expired(core: Any, namespace: str, forget: Any) -> None:
    for name in ("p1", "p2", "p3"):
        await core.create_namespaced_config_map(namespace, config_map(name))
    page = await core.list_namespaced_config_map(namespace, limit=1)
    await core.create_namespaced_config_map(namespace, config_map("p4"))
    await forget()

    status = await refusal(core.list_namespaced_config_map(namespace, limit=1, _continue=page.metadata._continue))

    assert (status["code"], status["reason"]) == (410, "Expired")
    assert status["message"].startswith(
        "The provided continue parameter is too old to display a consistent list result."
    )


async def test_the_text_of_a_secret_comes_back_encoded(core: Any, namespace: str) -> None:
    body = {"metadata": {"name": "password"}, "stringData": {"value": "open"}}

    created = await core.create_namespaced_secret(namespace, body)

    assert created.type == "Opaque"
    assert created.data == {"value": base64.b64encode(b"open").decode()}


async def test_a_pull_secret_has_to_hold_json(core: Any, namespace: str) -> None:
    kind = "kubernetes.io/dockerconfigjson"
    body = {"metadata": {"name": "regcred"}, "type": kind, "stringData": {".dockerconfigjson": "nonsense"}}

    status = await refusal(core.create_namespaced_secret(namespace, body))

    assert status["code"] == 422
    assert status["message"].startswith(
        'Secret "regcred" is invalid: data[.dockerconfigjson]: Invalid value: "<secret contents redacted>"'
    )


async def test_a_pull_secret_needs_its_key(core: Any, namespace: str) -> None:
    body = {"metadata": {"name": "regcred"}, "type": "kubernetes.io/dockerconfigjson", "stringData": {"other": "{}"}}

    status = await refusal(core.create_namespaced_secret(namespace, body))

    assert status["message"] == 'Secret "regcred" is invalid: data[.dockerconfigjson]: Required value'


async def test_a_deleted_namespace_goes_with_its_contents(core: Any, namespace: str) -> None:
    await core.create_namespaced_config_map(namespace, config_map())

    before = await core.read_namespace(namespace)
    await core.delete_namespace(namespace)

    await watches.first(core.list_namespace, lambda one: one.metadata.name == namespace, deleted_after=before)


async def test_nothing_new_is_made_in_a_namespace_that_is_going(core: Any, namespace: str) -> None:
    finalized = config_map()
    finalized["metadata"]["finalizers"] = ["sandbox.example/hold"]
    await core.create_namespaced_config_map(namespace, finalized)
    await core.delete_namespace(namespace)

    going = await core.read_namespace(namespace)
    status = await refusal(core.create_namespaced_config_map(namespace, config_map("late")))
    await core.patch_namespaced_config_map("settings", namespace, {"metadata": {"finalizers": None}})

    assert going.status.phase == "Terminating"
    assert (status["code"], status["reason"]) == (403, "Forbidden")
    assert status["message"] == (
        f'configmaps "late" is forbidden: unable to create new content in namespace {namespace} '
        "because it is being terminated"
    )
    assert status["details"]["causes"][0]["reason"] == "NamespaceTerminating"


async def test_a_custom_kind_is_served_once_it_is_defined(admin: Any, namespace: str) -> None:
    extensions, custom = api(client.ApiextensionsV1Api, admin), api(client.CustomObjectsApi, admin)
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    spec = {
        "group": "sandbox.example",
        "scope": "Namespaced",
        "names": {"plural": "probes", "kind": "Probe"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    await extensions.create_custom_resource_definition({"metadata": {"name": "probes.sandbox.example"}, "spec": spec})
    await watches.first(
        extensions.list_custom_resource_definition,
        lambda one: (
            one.metadata.name == "probes.sandbox.example"
            and any(each.type == "Established" and each.status == "True" for each in one.status.conditions or [])
        ),
    )

    body = {"apiVersion": "sandbox.example/v1", "kind": "Probe", "metadata": {"name": "one"}, "spec": {"deep": [1]}}
    await custom.create_namespaced_custom_object("sandbox.example", "v1", namespace, "probes", body)
    listed = await custom.list_namespaced_custom_object("sandbox.example", "v1", namespace, "probes")

    assert listed["kind"] == "ProbeList"
    assert [one["spec"] for one in listed["items"]] == [{"deep": [1]}]


async def test_a_table_is_printed_for_those_who_ask(admin: Any, core: Any, namespace: str) -> None:
    await core.create_namespaced_config_map(namespace, config_map())

    path = f"/api/v1/namespaces/{namespace}/configmaps/settings"

    table = await raw(admin, path, accept="application/json;as=Table;v=v1;g=meta.k8s.io")

    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["settings", 1]


@pytest.mark.parametrize("spec", ["words", {"template": "words"}, {"template": {"spec": {"containers": [1]}}}])
async def test_a_body_of_the_wrong_shape_is_a_bad_request(admin: Any, namespace: str, spec: Any) -> None:
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "odd"}, "spec": spec}

    status = await raw(admin, f"/apis/apps/v1/namespaces/{namespace}/deployments", method="POST", body=body)

    assert (status["code"], status["reason"]) == (400, "BadRequest")


async def test_an_object_that_was_read_can_not_be_created_as_it_is(core: Any, namespace: str) -> None:
    read = await core.create_namespaced_config_map(namespace, config_map())

    status = await refusal(core.create_namespaced_config_map(namespace, read))

    assert (status["code"], status["message"]) == (500, "resourceVersion should not be set on objects to be created")


async def test_a_namespace_is_active_whatever_status_it_was_sent_with(core: Any) -> None:
    """kubectl sends an empty one."""
    created = await core.create_namespace({"metadata": {"generateName": "test-"}, "spec": {}, "status": {}})

    assert created.status.phase == "Active"


MISSPELT = {"metadata": {"name": "odd"}, "data": {"a": "1"}, "dat": {"b": "2"}, "kind": "ConfigMap", "apiVersion": "v1"}


async def test_a_field_that_a_kind_does_not_have_is_left_out(admin: Any, namespace: str) -> None:
    created = await raw(admin, f"/api/v1/namespaces/{namespace}/configmaps", method="POST", body=MISSPELT)

    assert "dat" not in created


async def test_a_field_that_a_kind_does_not_have_is_refused_to_strict_clients(admin: Any, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps?fieldValidation=Strict"
    status = await raw(admin, path, method="POST", body=MISSPELT)

    assert (status["code"], status["reason"]) == (400, "BadRequest")
    assert status["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat"'
    )


async def test_unknown_fields_are_named_by_their_places(admin: Any, namespace: str) -> None:
    body = deployment() | {"kind": "Deployment", "apiVersion": "apps/v1"}
    body["spec"] = {"replcas": 2} | body["spec"]
    body["spec"]["template"]["spec"]["containers"][0]["imag"] = "main:2"

    path = f"/apis/apps/v1/namespaces/{namespace}/deployments?fieldValidation=Strict"
    status = await raw(admin, path, method="POST", body=body)

    fields = 'unknown field "spec.replcas", unknown field "spec.template.spec.containers[0].imag"'
    assert status["message"].endswith(f"strict decoding error: {fields}")


async def test_a_patch_with_an_unknown_field_is_refused_to_strict_clients(core: Any, namespace: str) -> None:
    await core.create_namespaced_config_map(namespace, config_map())

    status = await refusal(
        core.patch_namespaced_config_map("settings", namespace, {"dat": {"b": "2"}}, field_validation="Strict")
    )

    assert (status["code"], status["message"]) == (
        422,
        ' "" is invalid: patch: Invalid value: "map[dat:map[b:2]]": strict decoding error: unknown field "dat"',
    )


async def test_applying_a_field_that_the_schema_lacks_is_refused(core: Any, namespace: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "dat": {}}
    status = await refusal(
        core.patch_namespaced_config_map("applied", namespace, body, field_manager="one", _content_type=APPLY)
    )

    text = "failed to create typed patch object (/applied; /v1, Kind=ConfigMap): .dat: field not declared in schema"
    assert (status["code"], status["message"]) == (500, text)


async def test_a_value_of_the_wrong_type_is_named_with_its_field(admin: Any, namespace: str) -> None:
    spec = {"ports": [{"port": "80"}]}
    body = {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "odd"}, "spec": spec}

    status = await raw(admin, f"/api/v1/namespaces/{namespace}/services", method="POST", body=body)

    assert status["message"] == (
        'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field '
        "ServicePort.spec.ports.port of type int32"
    )


async def test_amounts_may_be_numbers(admin: Any, namespace: str) -> None:
    body = {
        "kind": "ResourceQuota",
        "apiVersion": "v1",
        "metadata": {"name": "few"},
        "spec": {"hard": {"pods": 5}},
    }
    created = await raw(admin, f"/api/v1/namespaces/{namespace}/resourcequotas", method="POST", body=body)

    assert created["metadata"]["name"] == "few"


async def raw(
    connection: Any, path: str, *, accept: str = "application/json", method: str = "GET", body: Any = None
) -> Any:
    """Call what the client has no method for, asks for in another form, or would not send."""
    auth = await connection.configuration.auth_settings()
    headers = {"Accept": accept, "Authorization": auth["BearerToken"]["value"], "Content-Type": "application/json"}
    response = await connection.rest_client.request(
        method, connection.configuration.host + path, headers=headers, body=body
    )
    return json.loads(await response.read())
