"""Every call of the Azure gateways against the sandbox's Azure: what comes back, what is refused, what it costs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.gateways.azure import Connection, Deadlines, Options, open_azure
from services.model.azure import AcrRef, ClusterRef, Lock, Pending
from services.model.errors import (
    Absent,
    Conflict,
    NotAllowed,
    NotAuthenticated,
    ProviderNotRegistered,
    Refused,
    Throttled,
    Unreachable,
    VersionNotOffered,
)
from services.model.secret import Secret
from services.operations.connection_string import connection_string
from services.policy.sites import CONNECTED_REGISTRIES_TYPE, PROVIDERS, sync_actions
from services.ports import Azure
from tests.contract.azure.conftest import ACR, CLUSTER, SUBSCRIPTION, options
from tests.contract.azure.sandboxed import Sandboxed

R = "Microsoft.ContainerRegistry/registries/contosoacr"
X = "Microsoft.KubernetesConfiguration/extensions"
SECRET = "sandbox-client-secret"
SIGNATURE = "Wl9vbmVfc2lnbmF0dXJlX29mX2FuX29wZXJhdGlvbg"
IMAGE = "mcr.microsoft.com/hello-world:latest"


def opened(sandboxed: Sandboxed, secret: str = SECRET, **deadlines: float) -> Options:
    return options(sandboxed.url, sandboxed.ca_file, Deadlines(**deadlines), secret)


@pytest.fixture
async def cloud(keys: Path) -> AsyncIterator[Sandboxed]:
    sandboxed = Sandboxed(keys)
    await sandboxed.start()
    yield sandboxed
    await sandboxed.stop()


@pytest.fixture
async def connected(cloud: Sandboxed) -> AsyncIterator[Connection]:
    async with await open_azure(opened(cloud)) as connection:
        yield connection


@pytest.fixture
def azure(connected: Connection) -> Azure:
    return connected.azure


async def finished(azure: Azure, pending: Pending) -> Pending:
    return await azure.operations.poll(pending)


async def until_done(azure: Azure, pending: Pending) -> None:
    """Follow a deletion to its end."""
    async with asyncio.timeout(60):
        while pending.kind != "done":
            pending = await azure.operations.poll(pending)


async def client_token(azure: Azure) -> str:
    """A token that may pull hello-world; its ARM id."""
    actions = ["repositories/hello-world/content/read", "repositories/hello-world/metadata/read"]
    await azure.scope_maps.put(ACR, "client01", actions, "made by a test")
    await finished(azure, await azure.tokens.put(ACR, "client01", f"{ACR.id}/scopeMaps/client01"))
    return (await azure.tokens.get(ACR, "client01")).id


async def sync_token(azure: Azure) -> str:
    """A sync scope map and token named edge01; the token's id."""
    await azure.scope_maps.put(ACR, "edge01", sync_actions("edge01", "ReadOnly", ("hello-world",)), "made by a test")
    await finished(azure, await azure.tokens.put(ACR, "edge01", f"{ACR.id}/scopeMaps/edge01"))
    return f"{ACR.id}/tokens/edge01"


async def edge01(azure: Azure, **changes: object) -> Pending:
    """The connected registry edge01, with its token."""
    await azure.registries.enable_data_endpoint(ACR)
    values: dict[str, object] = {
        "token_id": await sync_token(azure),
        "mode": "ReadOnly",
        "schedule": "0 3 * * *",
        "window": timedelta(hours=3),
        "message_ttl": timedelta(days=2),
        "log_level": "Warning",
    }
    return await azure.connected.create(ACR, "edge01", **(values | changes))  # type: ignore[arg-type]  # as a caller would


async def register(azure: Azure) -> None:
    await azure.providers.register(SUBSCRIPTION, "Microsoft.KubernetesConfiguration")


async def extension(azure: Azure, **protected: Secret) -> Pending:
    await register(azure)
    return await azure.extensions.create(
        CLUSTER,
        "edge01",
        settings={"service.clusterIP": "10.96.0.20"},
        protected=protected or {"connectionString": Secret("ConnectedRegistryName=edge01")},
        release_train=None,
        version=None,
    )


# --- providers ------------------------------------------------------------------------------------------------------


async def test_providers_are_read_in_one_request(cloud: Sandboxed, azure: Azure) -> None:
    states = await azure.providers.states(SUBSCRIPTION, PROVIDERS)
    assert states == {
        "Microsoft.Kubernetes": "NotRegistered",
        "Microsoft.KubernetesConfiguration": "NotRegistered",
        "Microsoft.ExtendedLocation": "NotRegistered",
        "Microsoft.ContainerRegistry": "Registered",
    }
    assert await azure.providers.api_version(SUBSCRIPTION, CONNECTED_REGISTRIES_TYPE) == "2026-09-01-preview"
    assert len(await cloud.lines()) == 1


async def test_providers_are_asked_for_in_any_case(azure: Azure) -> None:
    states = await azure.providers.states(SUBSCRIPTION, ["MICROSOFT.containerregistry", "Microsoft.Unheard"])
    assert states == {"MICROSOFT.containerregistry": "Registered", "Microsoft.Unheard": "NotRegistered"}


async def test_a_provider_is_registered_however_often_it_is_asked_for(azure: Azure) -> None:
    first = await azure.providers.register(SUBSCRIPTION, "Microsoft.Kubernetes")
    again = await azure.providers.register(SUBSCRIPTION, "Microsoft.Kubernetes")
    assert {first, again} <= {"Registering", "Registered"}
    states = await azure.providers.states(SUBSCRIPTION, ["Microsoft.Kubernetes"])
    assert states["Microsoft.Kubernetes"] == "Registered"


# --- registries -----------------------------------------------------------------------------------------------------


async def test_a_registry_is_described(azure: Azure) -> None:
    found = await azure.registries.get(ACR)
    assert (found.name, found.location, found.sku) == ("contosoacr", "westeurope", "Premium")
    assert (found.data_endpoint, found.provisioning_state) == (False, "Succeeded")
    assert (found.public_network_access, found.default_action, found.admin_user) == ("Enabled", "Allow", False)
    assert found.id.lower() == ACR.id.lower()


async def test_a_registry_that_is_not_there_is_absent(azure: Azure) -> None:
    with pytest.raises(Absent) as caught:
        await azure.registries.get(AcrRef(SUBSCRIPTION, "edge-rg", "nothing00"))
    assert caught.value.code == "ResourceNotFound"
    assert caught.value.correlation_id


async def test_the_data_endpoint_is_switched_on_by_one_request(cloud: Sandboxed, azure: Azure) -> None:
    pending = await azure.registries.enable_data_endpoint(ACR)
    assert pending.kind == "done"
    assert await cloud.lines() == [f"PATCH {R}"]
    found = await azure.registries.get(ACR)
    assert (found.data_endpoint, found.data_endpoint_hosts) == (True, ("contosoacr.westeurope.data.azurecr.io",))


async def test_a_new_registry_is_premium_with_its_data_endpoint(azure: Azure) -> None:
    new = AcrRef(SUBSCRIPTION, "edge-rg", "contosonew")
    assert (await finished(azure, await azure.registries.create(new, "westeurope"))).kind == "done"
    found = await azure.registries.get(new)
    assert (found.sku, found.data_endpoint) == ("Premium", True)


async def test_an_image_is_imported(cloud: Sandboxed, azure: Azure) -> None:
    pending = await azure.registries.import_image(ACR, IMAGE, "hello-world:latest")
    assert (await finished(azure, pending)).kind == "done"
    assert "hello-world:latest" in (await cloud.state())["registries"][0]["images"]


async def test_an_image_is_never_overwritten(azure: Azure) -> None:
    await finished(azure, await azure.registries.import_image(ACR, IMAGE, "hello-world:latest"))
    with pytest.raises(Conflict):
        await finished(azure, await azure.registries.import_image(ACR, IMAGE, "hello-world:latest"))


async def test_an_image_that_nobody_has_is_refused(azure: Azure) -> None:
    with pytest.raises((Refused, Absent)):
        await finished(
            azure, await azure.registries.import_image(ACR, "mcr.microsoft.com/no-such:latest", "no-such:latest")
        )


# --- images ---------------------------------------------------------------------------------------------------------


async def login_server(azure: Azure) -> str:
    """Of the registry, which has an image then."""
    await finished(azure, await azure.registries.import_image(ACR, IMAGE, "hello-world:latest"))
    return (await azure.registries.get(ACR)).login_server


async def test_a_tag_stands_for_an_index_with_the_platforms_below_it(azure: Azure) -> None:
    server = await login_server(azure)
    image = await azure.images.get(ACR, server, "hello-world", "latest")

    assert sorted(image.platforms.values()) == ["linux/amd64", "linux/arm64"]
    assert await azure.images.get(ACR, server, "hello-world", image.digest) == image


async def test_the_platform_of_a_single_manifest_is_in_its_configuration(azure: Azure) -> None:
    server = await login_server(azure)
    index = await azure.images.get(ACR, server, "hello-world", "latest")
    single = next(digest for digest, platform in index.platforms.items() if platform == "linux/arm64")

    image = await azure.images.get(ACR, server, "hello-world", single)
    assert (image.digest, image.platforms) == (single, {single: "linux/arm64"})


@pytest.mark.parametrize(
    ("image", "code"), [("hello-moon:latest", "NAME_UNKNOWN"), ("hello-world:v9", "MANIFEST_UNKNOWN")]
)
async def test_an_image_that_is_not_there_is_absent(azure: Azure, image: str, code: str) -> None:
    server = await login_server(azure)
    with pytest.raises(Absent) as caught:
        await azure.images.get(ACR, server, *image.split(":"))
    assert caught.value.code == code


async def test_a_repository_names_one_of_its_tags_and_an_empty_one_is_absent(azure: Azure) -> None:
    server = (await azure.registries.get(ACR)).login_server
    with pytest.raises(Absent):
        await azure.images.any_tag(ACR, server, "hello-world")
    await finished(azure, await azure.registries.import_image(ACR, IMAGE, "hello-world:latest"))

    assert await azure.images.any_tag(ACR, server, "hello-world") == "latest"


async def test_the_tags_of_a_repository_have_their_digests_and_times(cloud: Sandboxed, azure: Azure) -> None:
    server = await login_server(azure)
    tags = await azure.images.tags(ACR, server, "hello-world")

    image = await azure.images.get(ACR, server, "hello-world", "latest")
    assert {tag: entry.digest for tag, entry in tags.items()} == {"latest": image.digest}
    assert [entry.changed <= cloud.clock.now() for entry in tags.values() if entry.changed] == [True]
    assert await azure.images.tag(ACR, server, "hello-world", "latest") == tags["latest"]
    with pytest.raises(Absent):
        await azure.images.tags(ACR, server, "hello-moon")
    with pytest.raises(Absent):
        await azure.images.tag(ACR, server, "hello-world", "v9")


async def test_the_tags_of_all_pages_are_listed(cloud: Sandboxed, azure: Azure) -> None:
    server = await login_server(azure)
    cloud.tag("hello-world", *(f"v{number}" for number in range(2_000)))

    assert len(await azure.images.tags(ACR, server, "hello-world")) == 2_001


@pytest.mark.parametrize(("right", "question"), [("pull", "get"), ("metadata", "tags")])
async def test_the_right_to_read_images_is_named_where_it_is_missing(keys: Path, right: str, question: str) -> None:
    action = f"Microsoft.ContainerRegistry/registries/{right}/read"
    cloud = Sandboxed(keys, denied_actions=[action])
    await cloud.start()
    async with await open_azure(opened(cloud)) as connection:
        server = await login_server(connection.azure)
        words = ("hello-world", "latest")[: 1 + (question == "get")]
        with pytest.raises(NotAllowed) as caught:
            await getattr(connection.azure.images, question)(ACR, server, *words)
    await cloud.stop()
    assert caught.value.action == action


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"action": "drop"}, {"status": 429, "headers": {"Retry-After": "0"}}]
)
async def test_a_passing_fault_of_the_registry_is_not_noticed(
    cloud: Sandboxed, azure: Azure, fault: dict[str, object]
) -> None:
    server = await login_server(azure)
    cloud.strike("POST /oauth2/exchange", **fault)
    cloud.strike("GET /v2/hello-world/manifests/.*", **fault)
    assert (await azure.images.get(ACR, server, "hello-world", "latest")).platforms


async def test_the_firewall_of_a_registry_is_told_in_its_own_words(cloud: Sandboxed, azure: Azure) -> None:
    server = await login_server(azure)
    words = "client with IP '203.0.113.7' is not allowed access."
    cloud.strike("GET /v2/hello-world/manifests/.*", status=403, code="DENIED", message=words)
    with pytest.raises(Refused) as caught:
        await azure.images.get(ACR, server, "hello-world", "latest")
    assert (caught.value.code, caught.value.message) == ("DENIED", words)


# --- scope maps and tokens ------------------------------------------------------------------------------------------


async def test_a_scope_map_is_made_by_one_request_and_read_back(cloud: Sandboxed, azure: Azure) -> None:
    actions = sync_actions("edge01", "ReadOnly", ("hello-world",))
    assert (await azure.scope_maps.put(ACR, "edge01", actions, "made by a test")).kind == "done"
    assert await cloud.lines() == [f"PUT {R}/scopeMaps/edge01"]
    assert (await azure.scope_maps.get(ACR, "edge01")).actions == actions


@pytest.mark.parametrize("kind", ["scope_maps", "tokens", "connected"])
async def test_what_is_not_there_is_absent(azure: Azure, kind: str) -> None:
    with pytest.raises(Absent):
        await getattr(azure, kind).get(ACR, "edge01")


async def test_a_token_costs_a_request_and_a_poll(cloud: Sandboxed, azure: Azure) -> None:
    await azure.scope_maps.put(ACR, "edge01", sync_actions("edge01", "ReadOnly", ()), "made by a test")
    await cloud.forget()
    pending = await azure.tokens.put(ACR, "edge01", f"{ACR.id}/scopeMaps/edge01")
    assert (await finished(azure, pending)).kind == "done"
    assert [line.split("-")[0] for line in await cloud.lines()] == [
        f"PUT {R}/tokens/edge01",
        f"GET {R}/tokens/edge01/operationStatuses/token",
    ]


async def test_a_password_is_made_in_its_slot_and_not_told_again(azure: Azure) -> None:
    token_id = await sync_token(azure)
    password = await azure.tokens.generate_password(ACR, token_id, "password2")
    assert len(password.reveal()) > 20
    found = await azure.tokens.get(ACR, "edge01")
    assert found.enabled
    assert [slot.name for slot in found.passwords] == ["password2"]
    assert found.passwords[0].created is not None
    assert password.reveal() not in repr(found)


async def test_a_new_password_replaces_the_old_one_of_its_slot(azure: Azure) -> None:
    token_id = await sync_token(azure)
    first = await azure.tokens.generate_password(ACR, token_id, "password1")
    second = await azure.tokens.generate_password(ACR, token_id, "password1")
    assert first.reveal() != second.reveal()


@pytest.mark.parametrize("fault", [{"action": "lose_reply"}, {"action": "drop"}, {"status": 503}, {"status": 500}])
async def test_no_second_password_is_asked_for_when_the_reply_is_lost(
    cloud: Sandboxed, azure: Azure, fault: dict[str, object]
) -> None:
    token_id = await sync_token(azure)
    await cloud.forget()
    cloud.strike("POST .*/generateCredentials", **fault)
    with pytest.raises(Unreachable):
        await azure.tokens.generate_password(ACR, token_id, "password1")
    assert len([line for line in await cloud.lines() if "generateCredentials" in line]) <= 1


async def test_a_password_ends_alone_and_one_may_have_an_end_from_the_start(azure: Azure) -> None:
    token_id, end = await sync_token(azure), datetime(2100, 1, 1, tzinfo=UTC)
    await azure.tokens.generate_password(ACR, token_id, "password1")
    await azure.tokens.generate_password(ACR, token_id, "password2", expires=end)
    for _ in range(2):
        await until_done(azure, await azure.tokens.end_password(ACR, "edge01", "password1"))
    token = await azure.tokens.get(ACR, "edge01")

    assert [(slot.name, slot.expires) for slot in token.passwords] == [("password2", end)]
    assert (token.enabled, token.scope_map_id) == (True, f"{ACR.id}/scopeMaps/edge01")


async def test_a_password_for_an_unknown_token_is_refused(azure: Azure) -> None:
    with pytest.raises((Absent, Refused)):
        await azure.tokens.generate_password(ACR, f"{ACR.id}/tokens/nobody", "password1")


async def test_a_token_and_its_scope_map_are_deleted_and_a_second_time_is_no_mistake(azure: Azure) -> None:
    await client_token(azure)

    for _ in range(2):
        await until_done(azure, await azure.tokens.delete(ACR, "client01"))
        await until_done(azure, await azure.scope_maps.delete(ACR, "client01"))

    assert await azure.tokens.list(ACR) == ()
    with pytest.raises(Absent):
        await azure.scope_maps.get(ACR, "client01")


async def test_a_token_that_a_connected_registry_syncs_with_is_not_deleted(azure: Azure) -> None:
    await finished(azure, await edge01(azure))
    with pytest.raises(Conflict) as caught:
        await azure.tokens.delete(ACR, "edge01")
    assert caught.value.code == "TokenInUse"


# --- connected registries -------------------------------------------------------------------------------------------


async def test_a_connected_registry_is_made_and_read_back(azure: Azure) -> None:
    assert (await finished(azure, await edge01(azure))).kind == "done"
    found = await azure.connected.get(ACR, "edge01")
    assert (found.mode, found.connection_state, found.activation) == ("ReadOnly", "Offline", "Inactive")
    assert (found.schedule, found.window, found.message_ttl) == ("0 3 * * *", timedelta(hours=3), timedelta(days=2))
    assert (found.parent, found.gateway_endpoint) == ("", "contosoacr.westeurope.data.azurecr.io")
    assert found.token_id.lower() == f"{ACR.id}/tokens/edge01".lower()
    assert (found.log_level, found.last_sync, found.login_server) == ("Warning", None, "")


async def test_the_same_connected_registry_can_be_asked_for_again(azure: Azure) -> None:
    await finished(azure, await edge01(azure))
    await finished(azure, await edge01(azure))
    assert [each.name for each in await azure.connected.list(ACR)] == ["edge01"]


async def test_client_tokens_are_replaced_and_nothing_else_changes(azure: Azure) -> None:
    await finished(azure, await edge01(azure))
    before = await azure.connected.get(ACR, "edge01")
    token_id = await client_token(azure)
    await finished(azure, await azure.connected.set_client_tokens(ACR, "edge01", [token_id]))
    linked = await azure.connected.get(ACR, "edge01")
    await finished(azure, await azure.connected.set_client_tokens(ACR, "edge01", []))

    assert [each.lower() for each in linked.client_token_ids] == [token_id.lower()]
    assert await azure.connected.get(ACR, "edge01") == before


async def test_a_continuous_schedule_needs_no_window(azure: Azure) -> None:
    await finished(azure, await edge01(azure, schedule="* * * * *", window=None))
    found = await azure.connected.get(ACR, "edge01")
    assert (found.schedule, found.window) == ("* * * * *", None)


async def test_only_the_settings_that_are_named_are_sent(cloud: Sandboxed, azure: Azure) -> None:
    await finished(azure, await edge01(azure, gc_schedule="0 2 * * *"))
    before = await azure.connected.get(ACR, "edge01")
    await cloud.forget()
    await finished(azure, await azure.connected.update(ACR, "edge01", notifications=["hello-world:push"]))
    await finished(azure, await azure.connected.update(ACR, "edge01", schedule="* * * * *", log_level="Debug"))
    await finished(azure, await azure.connected.update(ACR, "edge01", gc_enabled=False))
    await finished(azure, await azure.connected.update(ACR, "edge01", gc_schedule="0 1 * * *"))
    await finished(azure, await azure.connected.update(ACR, "edge01", audit_logs=True))
    changed = await azure.connected.get(ACR, "edge01")
    await finished(azure, await azure.connected.update(ACR, "edge01", notifications=[]))
    assert (await cloud.lines())[0] == f"PATCH {R}/connectedRegistries/edge01"
    assert changed == replace(
        before,
        schedule="* * * * *",
        log_level="Debug",
        audit_logs=True,
        notifications=("hello-world:push",),
        gc_enabled=False,
        gc_schedule="0 1 * * *",
    )
    assert (before.gc_enabled, before.gc_schedule, before.audit_logs) == (True, "0 2 * * *", False)
    assert (await azure.connected.get(ACR, "edge01")).notifications == ()


async def test_a_basic_registry_has_no_connected_ones(azure: Azure) -> None:
    lab = AcrRef(SUBSCRIPTION, "edge-rg", "contosolab")
    with pytest.raises((Refused, Conflict)):
        await azure.connected.create(
            lab,
            "edge01",
            token_id=f"{lab.id}/tokens/edge01",
            mode="ReadOnly",
            schedule="* * * * *",
            window=None,
            message_ttl=timedelta(days=2),
            log_level="Information",
        )


async def test_a_connected_registry_can_be_below_another_one(azure: Azure) -> None:
    await edge01(azure)
    await azure.scope_maps.put(ACR, "line1", sync_actions("line1", "ReadOnly", ("hello-world",)), "made by a test")
    await finished(azure, await azure.tokens.put(ACR, "line1", f"{ACR.id}/scopeMaps/line1"))
    await azure.connected.create(
        ACR,
        "line1",
        token_id=f"{ACR.id}/tokens/line1",
        mode="ReadOnly",
        schedule="* * * * *",
        window=None,
        message_ttl=timedelta(days=2),
        log_level="Information",
        parent="edge01",
    )

    assert [(one.name, one.parent) for one in await azure.connected.list(ACR)] == [("edge01", ""), ("line1", "edge01")]


# --- clusters and extensions ----------------------------------------------------------------------------------------


async def test_a_cluster_is_described_as_its_agent_reported_it(cloud: Sandboxed, azure: Azure) -> None:
    await cloud.heartbeat(CLUSTER.id)
    found = await azure.clusters.get(CLUSTER)
    assert (found.name, found.location, found.connectivity) == ("berlin-arc", "westeurope", "Connected")
    assert found.kubernetes_version == "1.33.4"
    assert found.last_heartbeat is not None
    assert found.last_heartbeat.tzinfo is UTC


async def test_a_cluster_that_is_not_connected_to_arc_is_absent(azure: Azure) -> None:
    with pytest.raises(Absent):
        await azure.clusters.get(ClusterRef(SUBSCRIPTION, "edge-rg", "nothing"))


async def test_an_extension_is_followed_until_the_agent_has_installed_it(cloud: Sandboxed, azure: Azure) -> None:
    pending = await extension(azure)
    assert pending.url.startswith(cloud.url)
    pending = await azure.operations.poll(pending)
    assert pending.kind == "status"
    await cloud.report(CLUSTER.id, "edge01", state="Succeeded", currentVersion="1.2.3")
    assert (await azure.operations.poll(pending)).kind == "done"
    found = await azure.extensions.get(CLUSTER, "edge01")
    assert (found.type, found.version) == ("microsoft.containerregistry.connectedregistry", "1.2.3")
    assert (found.provisioning_state, found.release_namespace) == ("Succeeded", "connected-registry")
    assert found.settings == {"service.clusterIP": "10.96.0.20"}
    assert found.problems == ()


async def test_a_failed_extension_tells_why(cloud: Sandboxed, azure: Azure) -> None:
    pending = await extension(azure)
    failure = {"code": "ExtensionCreationFailed", "message": "Helm said SyncTokenPassword=hunter2hunter2 is wrong."}
    note = {"code": "InstallationFailed", "level": "Error", "message": "The object has been modified."}
    fine = {"code": "Fine", "level": "Information", "message": "Nothing."}
    await cloud.report(CLUSTER.id, "edge01", state="Failed", error=failure, statuses=[note, fine])
    with pytest.raises(Refused) as caught:
        await azure.operations.poll(pending)
    assert caught.value.code == "ExtensionCreationFailed"
    found = await azure.extensions.get(CLUSTER, "edge01")
    assert [problem.code for problem in found.problems] == ["ExtensionCreationFailed", "InstallationFailed"]
    assert "hunter2" not in f"{caught.value!r} {found!r}"


async def test_the_agent_gets_the_connection_string_whole(cloud: Sandboxed, azure: Azure) -> None:
    password = Secret("p+ss=/word")
    made = connection_string(name="edge01", token="edge01", password=password, gateway_endpoint="gateway")
    await extension(azure, connectionString=made)
    wanted = (await cloud.desired(CLUSTER.id))[0]
    assert wanted["configurationProtectedSettings"] == {"connectionString": made.reveal()}
    assert wanted["autoUpgradeMinorVersion"] is True
    assert "word" not in repr(await azure.extensions.list(CLUSTER))


async def test_new_secrets_change_nothing_else_of_an_extension(cloud: Sandboxed, azure: Azure) -> None:
    await register(azure)
    await azure.extensions.create(
        CLUSTER,
        "edge01",
        settings={"service.clusterIP": "10.96.0.20"},
        protected={"connectionString": Secret("old"), "tls.key": Secret("key")},
        release_train="preview",
        version="0.9.0",
    )
    [before] = await cloud.desired(CLUSTER.id)
    shown = await azure.extensions.get(CLUSTER, "edge01")
    await azure.extensions.update(CLUSTER, "edge01", protected={"connectionString": Secret("new")})
    [after] = await cloud.desired(CLUSTER.id)

    assert shown.secrets == ("connectionString", "tls.key")
    assert {key for key in before if before[key] != after[key]} == {"generation", "configurationProtectedSettings"}
    assert after["configurationProtectedSettings"] == {"connectionString": "new"}


async def test_a_pinned_version_is_not_upgraded_by_itself(cloud: Sandboxed, azure: Azure) -> None:
    await register(azure)
    await azure.extensions.create(
        CLUSTER, "edge01", settings={}, protected={}, release_train="preview", version="0.9.0"
    )
    wanted = (await cloud.desired(CLUSTER.id))[0]
    assert (wanted["version"], wanted["releaseTrain"], wanted["autoUpgradeMinorVersion"]) == ("0.9.0", "preview", False)


async def test_an_extension_is_refused_with_the_provider_that_is_not_registered(azure: Azure) -> None:
    with pytest.raises(ProviderNotRegistered) as caught:
        await azure.extensions.create(CLUSTER, "edge01", settings={}, protected={}, release_train=None, version=None)
    assert caught.value.provider == "Microsoft.KubernetesConfiguration"


async def test_a_second_extension_of_the_type_conflicts(azure: Azure) -> None:
    await extension(azure)
    with pytest.raises(Conflict):
        await azure.extensions.create(CLUSTER, "edge02", settings={}, protected={}, release_train=None, version=None)


# --- deletion -------------------------------------------------------------------------------------------------------


async def test_a_connected_registry_is_deleted_with_what_it_synced_by_in_that_order(azure: Azure) -> None:
    await finished(azure, await edge01(azure))
    with pytest.raises(Conflict):
        await azure.tokens.delete(ACR, "edge01")
    with pytest.raises(Conflict):
        await azure.scope_maps.delete(ACR, "edge01")
    assert (await finished(azure, await azure.connected.delete(ACR, "edge01"))).kind == "done"
    assert (await finished(azure, await azure.tokens.delete(ACR, "edge01"))).kind == "done"
    assert (await finished(azure, await azure.scope_maps.delete(ACR, "edge01"))).kind == "done"
    assert (await azure.connected.list(ACR), await azure.tokens.list(ACR)) == ((), ())
    assert all(scope_map.system_defined for scope_map in await azure.scope_maps.list(ACR))


@pytest.mark.parametrize("kind", ["scope_maps", "tokens", "connected"])
async def test_what_is_not_there_is_deleted_without_a_complaint(azure: Azure, kind: str) -> None:
    assert (await getattr(azure, kind).delete(ACR, "edge01")).kind == "done"


async def test_an_extension_is_deleted(cloud: Sandboxed, azure: Azure) -> None:
    await extension(azure)
    await cloud.report(CLUSTER.id, "edge01", state="Succeeded")
    assert (await finished(azure, await azure.extensions.delete(CLUSTER, "edge01"))).kind == "done"
    assert await azure.extensions.list(CLUSTER) == ()
    assert [order["deleting"] for order in await cloud.desired(CLUSTER.id)] == [True]


async def test_a_scope_map_gets_other_actions_and_keeps_everything_else(cloud: Sandboxed, azure: Azure) -> None:
    await sync_token(azure)
    fewer = sync_actions("edge01", "ReadOnly", ())
    await cloud.forget()
    await finished(azure, await azure.scope_maps.update(ACR, "edge01", fewer))
    assert (await azure.scope_maps.get(ACR, "edge01")).actions == fewer
    assert (await cloud.lines())[0] == f"PATCH {R}/scopeMaps/edge01"


async def test_the_actions_that_no_role_gives_are_missing(keys: Path) -> None:
    read, write = "Microsoft.Authorization/permissions/read", "Microsoft.ContainerRegistry/registries/tokens/write"
    cloud = Sandboxed(keys, actions=[read, "microsoft.containerregistry/registries/*"], denied_actions=["*/delete"])
    await cloud.start()
    async with await open_azure(opened(cloud)) as connection:
        missing = await connection.azure.permissions.missing(ACR.id, [write, write.replace("write", "delete"), "x/y"])
    await cloud.stop()
    assert missing == ("Microsoft.ContainerRegistry/registries/tokens/delete", "x/y")


async def test_the_locks_of_a_resource_are_those_at_and_above_it(cloud: Sandboxed, azure: Azure) -> None:
    group = ACR.id.partition("/providers/")[0]
    await cloud.lock("whole", "subscription", "CanNotDelete")
    await cloud.lock("group", group, "ReadOnly")
    await cloud.lock("cluster", CLUSTER.id, "ReadOnly")

    assert set(await azure.permissions.locks(ACR.id)) == {
        Lock(f"/subscriptions/{ACR.subscription}", "CanNotDelete"),
        Lock(group, "ReadOnly"),
    }


# --- identity, rights, throttling -----------------------------------------------------------------------------------


async def test_a_wrong_secret_is_not_authenticated(cloud: Sandboxed) -> None:
    async with await open_azure(opened(cloud, "a-secret-that-is-wrong")) as connection:
        with pytest.raises(NotAuthenticated) as caught:
            await connection.azure.registries.get(ACR)
    assert caught.value.code == "AADSTS7000215"
    assert "a-secret-that-is-wrong" not in str(caught.value)


async def test_a_missing_right_is_named(keys: Path) -> None:
    denied = "Microsoft.ContainerRegistry/registries/tokens/write"
    cloud = Sandboxed(keys, denied_actions=[denied])
    await cloud.start()
    async with await open_azure(opened(cloud)) as connection:
        with pytest.raises(NotAllowed) as caught:
            await connection.azure.tokens.put(ACR, "edge01", f"{ACR.id}/scopeMaps/edge01")
    await cloud.stop()
    assert caught.value.action.lower() == denied.lower()


async def test_a_role_without_operation_statuses_still_sees_the_end(keys: Path) -> None:
    cloud = Sandboxed(keys, denied_actions=["*/operationStatuses/read"])
    await cloud.start()
    async with await open_azure(opened(cloud)) as connection:
        assert (await finished(connection.azure, await edge01(connection.azure))).kind == "done"
    await cloud.stop()


async def test_a_small_quota_is_obeyed_without_a_complaint(cloud: Sandboxed, connected: Connection) -> None:
    await cloud.limit(reads=2, refill=1000)
    await connected.azure.registries.get(ACR)
    await connected.azure.registries.get(ACR)
    lowest = [quota.remaining for quota in connected.quotas() if quota.scope == "subscription"]
    assert lowest[0] < 20


async def test_the_clock_is_azures_where_this_machines_differs(cloud: Sandboxed, connected: Connection) -> None:
    cloud.clock.turn(7200)
    await connected.azure.registries.get(ACR)
    assert abs(connected.clock.now() - cloud.clock.now()) < timedelta(minutes=1)


async def test_a_quota_that_is_used_up_for_long_is_throttled(cloud: Sandboxed) -> None:
    await cloud.limit(reads=0, refill=0.01)
    async with await open_azure(opened(cloud)) as connection:
        with pytest.raises(Throttled) as caught:
            await connection.azure.registries.get(ACR)
    assert caught.value.retry_after > 20


@pytest.mark.parametrize("fault", [{"status": 500}, {"action": "drop"}, {"action": "lose_reply"}, {"status": 503}])
async def test_a_passing_fault_is_not_noticed_by_reads_and_idempotent_writes(
    cloud: Sandboxed, azure: Azure, fault: dict[str, object]
) -> None:
    cloud.strike("GET .*/registries/contosoacr$", **fault)
    cloud.strike("GET .*/extensions$", **fault)
    cloud.strike("PUT .*/scopeMaps/edge01$", **fault)
    assert (await azure.registries.get(ACR)).name == "contosoacr"
    assert await azure.extensions.list(CLUSTER) == ()
    assert (await azure.scope_maps.put(ACR, "edge01", ["repositories/a/content/read"], "made by a test")).kind == "done"


# --- the whole ------------------------------------------------------------------------------------------------------


async def test_a_whole_deployment_needs_few_requests(cloud: Sandboxed, azure: Azure) -> None:
    assert (await azure.registries.get(ACR)).sku == "Premium"
    assert await azure.connected.list(ACR) == ()
    await azure.clusters.get(CLUSTER)
    assert await azure.extensions.list(CLUSTER) == ()
    await register(azure)
    await finished(azure, await azure.registries.import_image(ACR, IMAGE, "hello-world:latest"))
    await finished(azure, await edge01(azure))
    password = await azure.tokens.generate_password(ACR, f"{ACR.id}/tokens/edge01", "password1")
    string = connection_string(name="edge01", token="edge01", password=password, gateway_endpoint="gateway")
    pending = await extension(azure, connectionString=string)
    await cloud.report(CLUSTER.id, "edge01", state="Succeeded")
    await finished(azure, pending)
    await azure.connected.get(ACR, "edge01")
    assert len(await cloud.lines()) <= 18 + 1  # `register` is called twice here


@pytest.mark.usefixtures("every_log_line")
async def test_no_secret_and_no_signature_is_logged_by_anybody(
    cloud: Sandboxed, azure: Azure, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    token_id = await sync_token(azure)
    password = (await azure.tokens.generate_password(ACR, token_id, "password1")).reveal()
    await extension(azure, connectionString=Secret(f"SyncTokenPassword={password}"))
    pending = await azure.tokens.put(ACR, "edge01", f"{ACR.id}/scopeMaps/edge01")
    cloud.strike(
        "GET .*/operationStatuses/.*", status=400, code="BadRequest", message=f"password {password} at {pending.url}"
    )
    with pytest.raises(Refused) as caught:
        await azure.operations.poll(pending)
    seen = f"{caplog.text} {capsys.readouterr()} {caught.value} {caught.value!r}"
    assert "arm.request" in seen
    assert [each for each in (password, SECRET, SIGNATURE, "&s=", "Bearer ey") if each in seen] == []


# --- api-versions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "version",
    ["2025-09-01-preview", "2025-12-01-preview", "2026-01-01-preview", "2026-03-01-preview", "2026-09-01-preview"],
)
async def test_a_connected_registry_is_made_and_read_in_every_version_that_the_service_listed(
    cloud: Sandboxed, azure: Azure, version: str
) -> None:
    await cloud.offer(connectedRegistries=[version])
    await finished(azure, await edge01(azure))
    assert (await azure.connected.get(ACR, "edge01")).token_id == f"{ACR.id}/tokens/edge01"
    assert [registry.name for registry in await azure.connected.list(ACR)] == ["edge01"]


async def test_a_cloud_without_a_known_version_is_told_by_what_it_has(cloud: Sandboxed, azure: Azure) -> None:
    await cloud.offer(connectedRegistries=["2030-01-01"])
    with pytest.raises(VersionNotOffered) as caught:
        await azure.connected.list(ACR)
    assert caught.value.offered == ("2030-01-01",)


async def test_the_registry_of_a_login_server_is_looked_up_in_the_subscription(azure: Azure) -> None:
    server = (await azure.registries.get(ACR)).login_server

    assert (await azure.registries.owner(SUBSCRIPTION, server.upper())).lower() == ACR.id.lower()
    assert await azure.registries.owner(SUBSCRIPTION, "registry.example.com") == ""
