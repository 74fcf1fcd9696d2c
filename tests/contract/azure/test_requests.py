"""How single requests to ARM behave: patience, deadlines, hosts, secrets."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from services.gateways.azure import Connection, Deadlines, Identity, Options, cloud, open_azure
from services.model.errors import (
    Absent,
    Conflict,
    Foreign,
    Invalid,
    NotAllowed,
    NotAuthenticated,
    ProviderNotRegistered,
    Refused,
    Throttled,
    Unreachable,
    Unreadable,
)
from services.model.secret import Secret
from services.traces import Span, Traces
from tests.contract.azure.conftest import ACR, CLIENT_SECRET, CLUSTER, SUBSCRIPTION, options
from tests.contract.azure.scripted import TENANT, TOKEN, Answer, ScriptedArm, after, error, registry

FOREIGN = "https://westeurope.dp.kubernetesconfiguration.azure.com/subscriptions/operations/1"
PASSWORD = "q8JzKf3mW1xR7vT5yB9nL2cD4gH6jP0sA8eU3iO1wQ5+ACRBn7tYr"


async def test_a_registry_is_read_with_words_in_any_case(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(body=registry(dataEndpointEnabled=True, dataEndpointHostNames=["a.data.azurecr.io"])))
    found = await connection.azure.registries.get(ACR)
    assert (found.sku, found.provisioning_state, found.data_endpoint) == ("Premium", "Succeeded", True)
    assert found.data_endpoint_hosts == ("a.data.azurecr.io",)


async def test_many_calls_at_once_log_in_once(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(body=registry()))
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(connection.azure.registries.get(ACR))
    assert (len(arm.logins), len(arm.requests)) == (1, 8)


async def test_azure_gets_the_id_of_a_trace_only_where_that_is_configured(arm: ScriptedArm) -> None:
    arm.will_say(Answer(body=registry()))
    spans: list[Span] = []
    traces, plain = Traces(spans.append), options(arm.url, arm.ca_file, Deadlines())
    for chosen in (plain, replace(plain, traceparent=True)):
        async with await open_azure(chosen, traces=traces) as opened:
            with traces.command():
                await opened.azure.registries.get(ACR)

    commands = [span.ids for span in spans if span.kind == "server"]
    assert [request.headers.get("traceparent") for request in arm.requests] == [None, commands[1].traceparent]
    calls = [span.parent for span in spans if span.name == "GET microsoft.containerregistry/registries"]
    assert calls == commands


async def test_a_read_is_tried_again_after_errors_of_the_server(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(503), Answer(500), Answer(body=registry()))
    await connection.azure.registries.get(ACR)
    assert len(arm.requests) == 3


async def test_a_read_survives_a_dropped_connection(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(drop=True), Answer(body=registry()))
    assert (await connection.azure.registries.get(ACR)).name == "contosoacr"


async def test_a_question_that_is_asked_by_post_survives_a_dropped_connection(
    arm: ScriptedArm, connection: Connection
) -> None:
    arm.will_say(Answer(drop=True), Answer(body={"nameAvailable": False, "message": "It is in use."}))
    assert await connection.azure.registries.name_refusal(ACR) == "It is in use."
    assert [request.method for request in arm.requests] == ["POST", "POST"]


async def test_a_server_that_only_fails_is_unreachable_after_four_tries(
    arm: ScriptedArm, connection: Connection
) -> None:
    arm.will_say(Answer(500, error("InternalServerError", "Oh."), {"x-ms-correlation-request-id": "c-7"}))
    with pytest.raises(Unreachable) as caught:
        await connection.azure.registries.get(ACR)
    assert (caught.value.code, caught.value.correlation_id, len(arm.requests)) == ("InternalServerError", "c-7", 4)


async def test_throttling_is_waited_out_within_the_deadline(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(429, headers={"x-ms-retry-after-ms": "20"}), Answer(body=registry()))
    await connection.azure.registries.get(ACR)
    assert len(arm.requests) == 2


async def test_throttling_beyond_the_deadline_comes_back_at_once_with_the_time_to_wait(
    arm: ScriptedArm, connection: Connection
) -> None:
    arm.will_say(Answer(429, error("TooManyRequests", "Slow down."), after(17)))
    with pytest.raises(Throttled) as caught:
        await connection.azure.registries.get(ACR)
    assert (caught.value.retry_after, len(arm.requests)) == (17, 1)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Refused), (401, NotAuthenticated), (404, Absent), (409, Conflict), (422, Refused)]
)
async def test_a_refusal_is_said_once_and_in_the_services_words(
    arm: ScriptedArm, connection: Connection, status: int, kind: type[Foreign]
) -> None:
    arm.will_say(Answer(status, error("Reason", "Because.")))
    with pytest.raises(kind) as caught:
        await connection.azure.registries.get(ACR)
    assert (caught.value.target, caught.value.code, caught.value.message) == (ACR.id, "Reason", "Because.")
    assert len(arm.requests) == 1


async def test_a_hung_service_is_unreachable_at_the_deadline(arm: ScriptedArm) -> None:
    arm.will_say(Answer(silent=True))
    async with await open_azure(options(arm.url, arm.ca_file, Deadlines(read=0.3))) as opened:
        with pytest.raises(Unreachable) as caught:
            await opened.azure.registries.get(ACR)
    assert caught.value.target == ACR.id


async def test_one_hung_request_is_not_the_end_of_a_read(arm: ScriptedArm) -> None:
    arm.will_say(Answer(silent=True), Answer(body=registry()))
    async with await open_azure(options(arm.url, arm.ca_file, Deadlines(read=2))) as opened:
        assert (await opened.azure.registries.get(ACR)).name == "contosoacr"


async def test_a_service_that_nobody_runs_is_unreachable(arm: ScriptedArm) -> None:
    await arm.stop()
    async with await open_azure(options(arm.url, arm.ca_file, Deadlines(read=0.5))) as opened:
        with pytest.raises(Unreachable):
            await opened.azure.registries.get(ACR)


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(arm: ScriptedArm) -> None:
    arm.will_say(Answer(body=registry()))
    async with await open_azure(options(arm.url, "", Deadlines(read=0.5))) as opened:
        with pytest.raises(Unreachable):
            await opened.azure.registries.get(ACR)
    assert arm.logins == []


async def test_a_cancelled_call_stays_cancelled(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(429, headers=after(3)))
    task = asyncio.create_task(connection.azure.registries.get(ACR))
    await arm.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_redirect_is_not_followed(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(307, headers={"Location": "{base}/elsewhere"}))
    with pytest.raises(Unreadable):
        await connection.azure.clusters.get(CLUSTER)
    assert len(arm.requests) == 1


async def test_a_next_page_on_another_host_does_not_get_the_token(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(body={"value": [], "nextLink": "https://localhost:1/next"}))
    with pytest.raises(Refused) as caught:
        await connection.azure.connected.list(ACR)
    assert caught.value.code == "ForeignHost"


async def test_all_pages_of_a_list_are_read(arm: ScriptedArm, connection: Connection) -> None:
    states = [{"namespace": "Microsoft.One", "registrationState": "Registered"}]
    more = [{"namespace": "microsoft.two", "registrationState": "Registering"}]
    arm.will_say(
        Answer(body={"value": states, "nextLink": f"{arm.url}/subscriptions/s/providers?$skiptoken=x%3D"}),
        Answer(body={"value": more}),
    )
    found = await connection.azure.providers.states(SUBSCRIPTION, ["Microsoft.One", "Microsoft.Two"])
    assert found == {"Microsoft.One": "Registered", "Microsoft.Two": "Registering"}
    assert arm.requests[1].query == {"$skiptoken": "x="}


async def test_low_quotas_are_kept_for_metrics(arm: ScriptedArm, connection: Connection) -> None:
    left = {"x-ms-ratelimit-remaining-subscription-reads": "199"}
    arm.will_say(Answer(body=registry(), headers=left))
    await connection.azure.registries.get(ACR)
    assert [(quota.subscription, quota.kind, quota.remaining) for quota in connection.quotas()] == [
        (SUBSCRIPTION, "reads", 199)
    ]


async def test_a_missing_registration_is_not_repaired_behind_our_back(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(409, error("MissingSubscriptionRegistration", "Register Microsoft.ContainerRegistry.")))
    with pytest.raises(ProviderNotRegistered) as caught:
        await connection.azure.registries.create(ACR, "westeurope")
    assert caught.value.provider == "Microsoft.ContainerRegistry"
    assert len(arm.requests) == 1


async def test_a_wrong_client_secret_is_named_by_entras_code_and_never_shown(
    arm: ScriptedArm, connection: Connection
) -> None:
    told = f"AADSTS7000215: Invalid client secret provided. client_secret={CLIENT_SECRET}"
    arm.login_answer = Answer(401, {"error": "invalid_client", "error_description": told, "error_codes": [7000215]})
    with pytest.raises(NotAuthenticated) as caught:
        await connection.azure.registries.get(ACR)
    assert caught.value.code == "AADSTS7000215"
    assert CLIENT_SECRET not in f"{caught.value} {caught.value!r}"
    assert arm.requests == []


async def test_an_identity_that_lacks_a_value_is_refused_before_anything_is_asked(arm: ScriptedArm) -> None:
    lacking = Options(cloud("public", authority=arm.url), Identity("secret", TENANT, "", Secret("x")))
    with pytest.raises(Invalid) as caught:
        await open_azure(lacking)
    assert caught.value.rule == "identity.incomplete"


async def test_a_password_that_is_made_at_once_costs_one_request(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(body={"username": "edge01", "passwords": [{"name": "password1", "value": PASSWORD}]}))
    made = await connection.azure.tokens.generate_password(ACR, f"{ACR.id}/tokens/edge01", "password1")
    assert made.reveal() == PASSWORD
    assert arm.lines == [f"POST {ACR.id}/generateCredentials"]


async def test_a_password_that_takes_time_is_waited_for(arm: ScriptedArm, connection: Connection) -> None:
    there = {"Location": "{base}/subscriptions/s/operationResults/1?s=signed"}
    passwords = [{"name": "password1"}, {"name": "Password2", "value": PASSWORD}]
    arm.will_say(Answer(202, headers=there), Answer(202), Answer(body={"passwords": passwords}))
    made = await connection.azure.tokens.generate_password(ACR, f"{ACR.id}/tokens/edge01", "password2")
    assert made.reveal() == PASSWORD
    assert len(arm.requests) == 3


async def test_a_password_at_a_foreign_place_is_not_fetched(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(202, headers={"Location": FOREIGN}))
    with pytest.raises(Refused) as caught:
        await connection.azure.tokens.generate_password(ACR, f"{ACR.id}/tokens/edge01", "password1")
    assert (caught.value.code, len(arm.requests)) == ("NoLocation", 1)


@pytest.mark.parametrize("answer", [Answer(drop=True), Answer(500), Answer(503, headers=after(0.01))])
async def test_no_second_password_is_made_when_the_reply_is_lost(
    arm: ScriptedArm, connection: Connection, answer: Answer
) -> None:
    arm.will_say(answer)
    with pytest.raises(Unreachable):
        await connection.azure.tokens.generate_password(ACR, f"{ACR.id}/tokens/edge01", "password1")
    assert len(arm.requests) == 1


async def test_a_throttled_password_request_is_sent_again(arm: ScriptedArm, connection: Connection) -> None:
    passwords = {"passwords": [{"name": "password1", "value": PASSWORD}]}
    arm.will_say(Answer(429, headers={"x-ms-retry-after-ms": "10"}), Answer(body=passwords))
    await connection.azure.tokens.generate_password(ACR, f"{ACR.id}/tokens/edge01", "password1")
    assert len(arm.requests) == 2


async def test_registering_a_provider_is_sent_again_since_it_does_no_harm(
    arm: ScriptedArm, connection: Connection
) -> None:
    arm.will_say(Answer(drop=True), Answer(body={"registrationState": "Registering"}))
    assert await connection.azure.providers.register(SUBSCRIPTION, "Microsoft.Kubernetes") == "Registering"
    assert len(arm.requests) == 2


async def test_an_image_is_not_imported_twice_when_the_reply_is_lost(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(drop=True))
    with pytest.raises(Unreachable):
        await connection.azure.registries.import_image(
            ACR, "mcr.microsoft.com/hello-world:latest", "hello-world:latest"
        )
    assert len(arm.requests) == 1


async def test_an_image_source_without_a_host_is_refused_unasked(arm: ScriptedArm, connection: Connection) -> None:
    with pytest.raises(Invalid):
        await connection.azure.registries.import_image(ACR, "hello-world:latest", "hello-world:latest")
    assert arm.requests == []


async def test_neither_secrets_nor_signatures_get_into_errors_or_logs(arm: ScriptedArm, connection: Connection) -> None:
    string = f"ConnectedRegistryName=edge01;SyncTokenPassword={PASSWORD};ParentEndpointProtocol=https"
    arm.will_say(Answer(400, error("ValidationFailed", f"Bad setting connectionString: {string} near {TOKEN}=")))
    with capture_logs() as logs, pytest.raises(Refused) as caught:
        await connection.azure.extensions.create(
            CLUSTER,
            "edge01",
            settings={},
            protected={"connectionString": Secret(string)},
            release_train=None,
            version=None,
        )
    seen = f"{caught.value} {caught.value!r} {logs}"
    assert string in arm.requests[0].body.replace("\\/", "/")
    assert PASSWORD not in seen
    assert CLIENT_SECRET not in seen


async def test_a_missing_right_names_the_action(arm: ScriptedArm, connection: Connection) -> None:
    message = "The client 'x' does not have authorization to perform action 'Microsoft.Foo/bars/write' over scope '/'."
    arm.will_say(Answer(403, error("AuthorizationFailed", message)))
    with pytest.raises(NotAllowed) as caught:
        await connection.azure.connected.create(
            ACR,
            "edge01",
            token_id="t",
            mode="ReadOnly",
            schedule="* * * * *",
            window=None,
            message_ttl=timedelta(days=2),
            log_level="Information",
        )
    assert caught.value.action == "Microsoft.Foo/bars/write"


async def test_nothing_is_asked_before_the_moment_that_azure_named(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(429, error("TooManyRequests", "Slow down."), after(60)), Answer(body=registry()))
    for _ in range(20):
        with pytest.raises(Throttled) as caught:
            await connection.azure.registries.get(ACR)
    assert len(arm.requests) == 1
    assert 50 < caught.value.retry_after <= 60
    assert caught.value.until is not None


async def test_a_pause_holds_up_only_what_it_was_asked_for(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(429, error("TooManyRequests", "Slow down."), after(60)), Answer(body={"value": []}))
    with pytest.raises(Throttled):
        await connection.azure.registries.get(ACR)
    assert await connection.azure.connected.list(ACR) == ()


async def test_a_throttled_subscription_holds_up_all_reads_in_it(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(429, error("SubscriptionRequestsThrottled", "Slow down."), after(60)), Answer(body=registry()))
    for question in (connection.azure.registries.get(ACR), connection.azure.connected.list(ACR)):
        with pytest.raises(Throttled):
            await question
    assert len(arm.requests) == 1


async def test_a_404_for_what_was_written_a_moment_ago_is_asked_again(arm: ScriptedArm, connection: Connection) -> None:
    token_id = f"{ACR.id}/tokens/edge01"
    made = {"id": token_id, "name": "edge01", "properties": {"provisioningState": "Succeeded"}}
    unseen = Answer(404, error("ResourceNotFound", "No such token."))
    passwords = Answer(body={"passwords": [{"name": "password1", "value": PASSWORD}]})
    arm.will_say(Answer(200, made), unseen, passwords)
    await connection.azure.tokens.put(ACR, "edge01", f"{ACR.id}/scopeMaps/edge01")
    password = await connection.azure.tokens.generate_password(ACR, token_id, "password1")
    assert password.reveal() == PASSWORD


async def test_what_another_process_wrote_is_believed_in_too(arm: ScriptedArm, connection: Connection) -> None:
    connection.azure.operations.note_written(f"{ACR.id}/scopeMaps/edge01")
    arm.will_say(
        Answer(404, error("ResourceNotFound", "No such map.")), Answer(body={"name": "edge01", "properties": {}})
    )
    assert (await connection.azure.scope_maps.get(ACR, "edge01")).name == "edge01"


async def test_a_404_for_what_nobody_wrote_is_believed(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(404, error("ResourceNotFound", "No such map.")))
    with pytest.raises(Absent):
        await connection.azure.scope_maps.get(ACR, "edge01")
    assert len(arm.requests) == 1
