"""Which causes end a step at once, which only when they last, and which a retry waits out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.model.azure import Token
from services.model.errors import Failure
from services.model.kubernetes import Runtime
from services.operations.deploy.causes import Cause
from services.operations.deploy.steps.verdict import RECOVERY, raise_if_final
from services.operations.step import Scene
from tests.golden.values import EXTENSION, REGISTRY
from tests.unit.steps.scenes import Cloud, Edge, scene

OFFLINE = replace(REGISTRY, connection_state="Offline")
ACTIVATED = Edge(seen=Runtime(pod_phase="Running", log="ALREADY_ACTIVATED"))
REFUSED = Edge(seen=Runtime(pod_phase="Running", log="HTTP 401 UNAUTHORIZED: incorrect password"))
LATE = timedelta(seconds=91)
TOKEN = Token("/acr/tokens/edge01", "edge01", "/acr/scopeMaps/edge01", True)


async def cause(where: Scene, *, final: bool = False) -> str:
    """Of the failure that ends the step; empty when it goes on."""
    try:
        await raise_if_final(where, connected=OFFLINE, final=final)
    except Failure as failure:
        return failure.cause
    return ""


async def test_what_cannot_pass_by_itself_ends_it_at_once() -> None:
    assert await cause(scene("connected.online", edge=ACTIVATED)) == Cause.ALREADY_ACTIVATED


async def test_what_may_pass_ends_it_only_when_it_lasts() -> None:
    assert await cause(scene("connected.online", edge=REFUSED)) == ""
    assert await cause(scene("connected.online", edge=REFUSED, waited=LATE)) == Cause.BAD_PASSWORD


async def test_a_retry_does_not_believe_a_logs_old_words_at_once() -> None:
    assert await cause(scene("connected.online", edge=ACTIVATED, attempt=2)) == ""
    assert await cause(scene("connected.online", edge=ACTIVATED, attempt=2, waited=RECOVERY)) == Cause.ALREADY_ACTIVATED


async def test_a_refused_password_of_a_disabled_token_is_told_as_that() -> None:
    disabled = Cloud(token=replace(TOKEN, enabled=False))

    assert await cause(scene("connected.online", edge=REFUSED, cloud=disabled)) == Cause.TOKEN_DISABLED


async def test_a_token_that_cannot_be_asked_leaves_the_password_as_the_cause() -> None:
    assert await cause(scene("connected.online", edge=REFUSED, cloud=Cloud(), waited=LATE)) == Cause.BAD_PASSWORD


async def test_a_cluster_out_of_reach_is_no_cause() -> None:
    assert await cause(scene("connected.online", edge=Edge(dead=True), waited=LATE)) == ""


async def test_what_azure_has_given_up_ends_it_whatever_it_is() -> None:
    failed = replace(EXTENSION, provisioning_state="Failed")
    with pytest.raises(Failure) as raised:
        await raise_if_final(scene("extension.install"), extension=failed, final=True)

    assert raised.value.cause == Cause.SILENT_FAILURE
