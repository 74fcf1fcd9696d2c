"""How asynchronous operations are followed: by one request a poll, to the newest URL, and only at ARM."""

import pytest

from services.gateways.azure import Connection
from services.model.azure import Pending
from services.model.errors import Absent, NotAllowed, Refused, Unreadable
from tests.contract.azure.conftest import ACR
from tests.contract.azure.scripted import Answer, ScriptedArm, error

TOKEN_ID = f"{ACR.id}/tokens/edge01"
STATUS = f"{TOKEN_ID}/operationStatuses/token-1"
FOREIGN = "https://westeurope.dp.kubernetesconfiguration.azure.com/subscriptions/operations/1"
MADE = {"id": TOKEN_ID, "name": "edge01", "properties": {"provisioningState": "Succeeded"}}
MAKING = {"id": TOKEN_ID, "name": "edge01", "properties": {"provisioningState": "Creating"}}


def at(path: str, number: int = 1) -> dict[str, str]:
    return {"Azure-AsyncOperation": f"{{base}}{path}?s=signature{number}"}


async def put(connection: Connection) -> Pending:
    return await connection.azure.tokens.put(ACR, "edge01", f"{ACR.id}/scopeMaps/edge01")


async def test_what_was_done_at_once_needs_no_poll(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(200, MADE))
    pending = await put(connection)
    assert (pending.kind, pending.url) == ("done", "")
    assert (await connection.azure.operations.poll(pending)).kind == "done"
    assert len(arm.requests) == 1


async def test_an_operation_is_followed_to_its_end_by_one_request_a_poll(
    arm: ScriptedArm, connection: Connection
) -> None:
    arm.will_say(Answer(201, MAKING, at(STATUS)), Answer(200, {"status": "Creating"}, {"Retry-After": "7"}))
    pending = await connection.azure.operations.poll(await put(connection))
    assert (pending.kind, pending.retry_after) == ("status", 7)
    arm.will_say(Answer(200, {"status": "Succeeded"}))
    assert (await connection.azure.operations.poll(pending)).kind == "done"
    assert len(arm.requests) == 3


async def test_the_newest_url_is_followed(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(201, MAKING, at(STATUS, 1)), Answer(200, {"status": "Creating"}, at(STATUS, 2)))
    pending = await put(connection)
    for _ in range(2):
        pending = await connection.azure.operations.poll(pending)
    assert [request.query["s"] for request in arm.requests[1:]] == ["signature1", "signature2"]


async def test_what_is_stored_to_follow_an_operation_has_no_signature(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(201, MAKING, at(STATUS, 1)), Answer(200, {"status": "Creating"}, at(STATUS, 2)))
    pending = await put(connection)
    assert "signature" not in f"{pending} {await connection.azure.operations.poll(pending)}"


async def test_another_process_follows_the_resource(
    arm: ScriptedArm, connection: Connection, other: Connection
) -> None:
    arm.will_say(Answer(201, MAKING, at(STATUS)), Answer(200, MAKING))
    pending = await other.azure.operations.poll(await put(connection))
    assert (pending.kind, arm.lines[-1]) == ("status", f"GET {TOKEN_ID}")
    arm.will_say(Answer(200, MADE))
    assert (await other.azure.operations.poll(pending)).kind == "done"


@pytest.mark.parametrize(
    "answer", [Answer(200), Answer(200, raw=b"<html>Sign in</html>"), Answer(200, {}), Answer(200, {"name": "edge02"})]
)
async def test_an_odd_answer_to_a_write_is_not_success(
    arm: ScriptedArm, connection: Connection, answer: Answer
) -> None:
    arm.will_say(answer)
    with pytest.raises(Unreadable):
        await connection.azure.operations.poll(await put(connection))


async def test_after_an_odd_answer_the_resource_tells(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(200, {}), Answer(200, MADE))
    assert (await connection.azure.operations.poll(await put(connection))).kind == "done"
    assert arm.lines[-1] == f"GET {TOKEN_ID}"


async def test_a_redirect_of_a_write_is_not_followed_and_not_success(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(302, headers={"Location": "https://localhost:1/elsewhere"}))
    with pytest.raises(Unreadable):
        await put(connection)
    assert len(arm.requests) == 1


async def test_a_signed_url_is_sent_back_letter_by_letter(arm: ScriptedArm, connection: Connection) -> None:
    odd = {"Azure-AsyncOperation": f"{{base}}{STATUS}?api-version=2025-11-01&c=MII%2Fa%2Bb&s=x_y-z%3D%3D"}
    arm.will_say(Answer(201, MAKING, odd), Answer(200, {"status": "Succeeded"}))
    await connection.azure.operations.poll(await put(connection))
    assert arm.requests[-1].query == {"api-version": "2025-11-01", "c": "MII/a+b", "s": "x_y-z=="}


@pytest.mark.parametrize("state", ["Failed", "Canceled", "FAILED"])
async def test_a_failed_operation_is_refused_in_the_services_words(
    arm: ScriptedArm, connection: Connection, state: str
) -> None:
    failed = {"status": state} | error("QuotaExceeded", "Too many tokens.")
    arm.will_say(Answer(201, MAKING, at(STATUS)), Answer(200, failed, {"x-ms-correlation-request-id": "c-9"}))
    with pytest.raises(Refused) as caught:
        await connection.azure.operations.poll(await put(connection))
    assert (caught.value.target, caught.value.code, caught.value.message, caught.value.correlation_id) == (
        TOKEN_ID,
        "QuotaExceeded",
        "Too many tokens.",
        "c-9",
    )


@pytest.mark.parametrize("status", [403, 404])
async def test_a_status_that_may_not_be_read_is_learnt_from_the_resource(
    arm: ScriptedArm, connection: Connection, status: int
) -> None:
    arm.will_say(
        Answer(201, MAKING, at(STATUS)), Answer(status, error("AuthorizationFailed", "No.")), Answer(200, MAKING)
    )
    pending = await connection.azure.operations.poll(await put(connection))
    assert pending.kind == "status"
    arm.will_say(Answer(200, MADE))
    assert (await connection.azure.operations.poll(pending)).kind == "done"
    assert arm.lines[-2:] == [f"GET {TOKEN_ID}", f"GET {TOKEN_ID}"]


async def test_a_resource_that_may_not_be_read_either_is_an_error(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(201, MAKING, at(STATUS)), Answer(403, error("AuthorizationFailed", "No.")))
    with pytest.raises(NotAllowed):
        await connection.azure.operations.poll(await put(connection))


async def test_a_place_at_a_foreign_host_is_never_asked(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(201, MAKING, {"Azure-AsyncOperation": FOREIGN, "Location": FOREIGN}), Answer(200, MADE))
    pending = await put(connection)
    assert FOREIGN not in pending.url
    assert (await connection.azure.operations.poll(pending)).kind == "done"
    assert arm.lines[-1] == f"GET {TOKEN_ID}"


async def test_a_foreign_place_that_was_stored_is_not_asked_either(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(200, MADE))
    assert (await connection.azure.operations.poll(Pending(TOKEN_ID, FOREIGN, "status"))).kind == "done"
    assert arm.lines == [f"GET {TOKEN_ID}"]


async def test_an_import_is_followed_by_its_location(arm: ScriptedArm, connection: Connection) -> None:
    there = {"Location": "{base}/subscriptions/s/operationResults/1?s=1"}
    arm.will_say(Answer(202, headers=there), Answer(202), Answer(200))
    pending = await connection.azure.registries.import_image(ACR, "mcr.microsoft.com/hello-world:latest", "hello:1")
    assert pending.kind == "location"
    pending = await connection.azure.operations.poll(pending)
    assert pending.kind == "location"
    assert (await connection.azure.operations.poll(pending)).kind == "done"


async def test_a_forgotten_import_is_not_called_done(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(404, error("NotFound", "Unknown operation.")))
    pending = Pending(f"{ACR.id}/importImage", f"{arm.url}/subscriptions/s/operationResults/1", "location")
    with pytest.raises(Absent):
        await connection.azure.operations.poll(pending)


async def test_a_status_without_a_word_is_not_the_end(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(201, MAKING, at(STATUS)), Answer(200, {}))
    assert (await connection.azure.operations.poll(await put(connection))).kind == "status"


async def test_a_write_whose_reply_was_lost_is_sent_again(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(drop=True), Answer(200, MADE))
    assert (await put(connection)).kind == "done"
    assert arm.lines == [f"PUT {TOKEN_ID}", f"PUT {TOKEN_ID}"]


# --- deletions ------------------------------------------------------------------------------------------------------


async def delete(connection: Connection) -> Pending:
    return await connection.azure.tokens.delete(ACR, "edge01")


NONE = error("ResourceNotFound", "No such token.")


@pytest.mark.parametrize(
    "answer", [Answer(204), Answer(404, NONE), Answer(404, error("ParentResourceNotFound", "No."))]
)
async def test_what_does_not_exist_is_deleted_already(arm: ScriptedArm, connection: Connection, answer: Answer) -> None:
    arm.will_say(answer)
    assert (await delete(connection)).kind == "done"


@pytest.mark.parametrize("body", [None, {"statusCode": 200, "isSuccessStatusCode": True}])
async def test_a_deletion_is_done_when_azure_answers_that_there_is_none(
    arm: ScriptedArm, connection: Connection, body: object
) -> None:
    arm.will_say(Answer(200, body), Answer(200, MADE), Answer(404, NONE))
    pending = await connection.azure.operations.poll(await delete(connection))
    assert pending.kind == "gone"
    assert (await connection.azure.operations.poll(pending)).kind == "done"


@pytest.mark.parametrize("header", ["Location", "Azure-AsyncOperation"])
async def test_the_end_of_a_deletions_operation_is_followed_by_a_look_at_its_target(
    arm: ScriptedArm, connection: Connection, header: str
) -> None:
    going = {header: f"{{base}}{STATUS}?s=signature"}
    arm.will_say(Answer(202, headers=going), Answer(200, {"status": "Succeeded"}), Answer(404, NONE))
    assert (await connection.azure.operations.poll(await delete(connection))).kind == "done"
    assert arm.lines == [f"DELETE {TOKEN_ID}", f"GET {STATUS}", f"GET {TOKEN_ID}"]


async def test_a_deletion_that_failed_is_refused_in_the_services_words(
    arm: ScriptedArm, connection: Connection
) -> None:
    failed = {"status": "Failed"} | error("TokenBusy", "In use.")
    arm.will_say(Answer(202, headers=at(STATUS)), Answer(200, failed))
    with pytest.raises(Refused) as caught:
        await connection.azure.operations.poll(await delete(connection))
    assert (caught.value.code, caught.value.message) == ("TokenBusy", "In use.")


async def test_another_process_follows_a_deletion_by_its_target(
    arm: ScriptedArm, connection: Connection, other: Connection
) -> None:
    failed_before = MADE | {"properties": {"provisioningState": "Failed"}}
    arm.will_say(Answer(202, headers=at(STATUS)), Answer(200, failed_before), Answer(404, NONE))
    pending = await other.azure.operations.poll(await delete(connection))
    assert (pending.kind, arm.lines[-1]) == ("gone", f"GET {TOKEN_ID}")
    assert (await other.azure.operations.poll(pending)).kind == "done"


async def test_a_target_that_may_not_be_read_is_not_said_to_be_deleted(
    arm: ScriptedArm, connection: Connection
) -> None:
    arm.will_say(Answer(202, headers=at(STATUS)), Answer(403, error("AuthorizationFailed", "No.")))
    with pytest.raises(NotAllowed):
        await connection.azure.operations.poll(await delete(connection))
