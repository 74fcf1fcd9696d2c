"""Answers that are none of Azure's: wrong shapes, too large, without an end. Each is one error, and nothing breaks."""

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.gateways.answers import USUAL
from services.gateways.azure import Connection
from services.model.errors import Foreign, Unreadable
from tests.contract.azure.conftest import ACR, CLUSTER, SUBSCRIPTION
from tests.contract.azure.scripted import Answer, ScriptedArm

Question = Callable[[Connection], Awaitable[object]]
QUESTIONS: dict[str, Question] = {
    "registry": lambda opened: opened.azure.registries.get(ACR),
    "scope map": lambda opened: opened.azure.scope_maps.get(ACR, "edge01"),
    "token": lambda opened: opened.azure.tokens.get(ACR, "edge01"),
    "connected registry": lambda opened: opened.azure.connected.get(ACR, "edge01"),
    "connected registries": lambda opened: opened.azure.connected.list(ACR),
    "cluster": lambda opened: opened.azure.clusters.get(CLUSTER),
    "extension": lambda opened: opened.azure.extensions.get(CLUSTER, "edge01"),
    "extensions": lambda opened: opened.azure.extensions.list(CLUSTER),
    "providers": lambda opened: opened.azure.providers.states(SUBSCRIPTION, ["Microsoft.Kubernetes"]),
    "password": lambda opened: opened.azure.tokens.generate_password(ACR, f"{ACR.id}/tokens/edge01", "password1"),
}
NESTED: Any = "x"
for _ in range(400):
    NESTED = {"properties": NESTED}
SHAPES: dict[str, Answer] = {
    "null": Answer(raw=b"null"),
    "a list": Answer(raw=b"[]"),
    "a text": Answer(raw=b'"x"'),
    "a number": Answer(raw=b"7"),
    "nothing": Answer(raw=b""),
    "HTML": Answer(raw=b"<html>Sign in</html>", headers={"Content-Type": "text/html"}),
    "half of it": Answer(raw=b'{"value": ['),
    "too deep to parse": Answer(raw=b"[" * 100_000),
    "deep": Answer(body=NESTED),
    "value null": Answer(body={"value": None, "properties": None}),
    "value a text": Answer(body={"value": "x", "properties": "x", "name": "x"}),
    "values null": Answer(body={"value": [None], "properties": [None], "name": ["edge01"]}),
    "numbers": Answer(body={"value": [7], "properties": {"parent": 7, "statuses": 7}, "name": 7, "passwords": 7}),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("question", QUESTIONS)
async def test_an_answer_of_another_shape_is_one_error(
    arm: ScriptedArm, connection: Connection, question: str, shape: str
) -> None:
    arm.will_say(SHAPES[shape])
    with pytest.raises(Foreign) as caught:
        await QUESTIONS[question](connection)
    assert isinstance(caught.value, Unreadable)


async def test_the_error_names_the_correlation_id(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(body={"value": "x"}, headers={"x-ms-correlation-request-id": "c-9"}))
    with pytest.raises(Unreadable) as caught:
        await connection.azure.connected.list(ACR)
    assert caught.value.correlation_id == "c-9"


async def test_an_answer_about_something_else_is_none(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(body={"name": "edge02", "properties": {}}))
    with pytest.raises(Unreadable):
        await connection.azure.tokens.get(ACR, "edge01")


async def test_an_answer_that_is_too_large_is_not_read(arm: ScriptedArm, connection: Connection) -> None:
    arm.will_say(Answer(raw=b" " * (USUAL + 1)))
    with pytest.raises(Unreadable) as caught:
        await connection.azure.registries.get(ACR)
    assert (caught.value.code, len(arm.requests)) == ("AnswerTooLarge", 1)


async def test_the_limit_is_of_the_inflated_answer(arm: ScriptedArm, connection: Connection) -> None:
    bomb = gzip.compress(b" " * (20 * USUAL))
    arm.will_say(Answer(raw=bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(Unreadable) as caught:
        await connection.azure.registries.get(ACR)
    assert caught.value.code == "AnswerTooLarge"


@pytest.mark.parametrize("question", ["connected registries", "extensions", "providers"])
async def test_pages_that_lead_back_to_each_other_end(arm: ScriptedArm, connection: Connection, question: str) -> None:
    arm.will_say(Answer(body={"value": [], "nextLink": f"{arm.url}/subscriptions/s/providers?$skiptoken=x"}))
    with pytest.raises(Unreadable):
        await QUESTIONS[question](connection)
    assert len(arm.requests) <= 4
