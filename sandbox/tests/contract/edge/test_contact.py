"""Contact with Azure: schedules, windows, links that are cut, edges that are off."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from sandbox.compose import Sandbox
from sandbox.tests.contract.edge.operator_at_work import Operator, eventually


def stop_at(sandbox: Sandbox, hour: int, minute: int = 0) -> None:
    """Hold the clock at a time of tomorrow."""
    sandbox.clock.stop()
    now = sandbox.clock.now()
    then = datetime(now.year, now.month, now.day, hour, minute, tzinfo=UTC) + timedelta(days=1)
    sandbox.clock.turn((then - now).total_seconds())


async def last_sync(operator: Operator) -> datetime:
    moment = (await operator.registry()).properties.parent.sync_properties.last_sync_time
    assert isinstance(moment, datetime)
    return moment


async def test_continuous_contact_synchronises_each_minute(operator: Operator, sandbox: Sandbox) -> None:
    stop_at(sandbox, 12)
    await operator.deploy()
    before = await last_sync(operator)

    sandbox.clock.turn(60)

    async def later() -> bool:
        return await last_sync(operator) > before

    assert await eventually(later)


async def test_a_nightly_registry_is_silent_by_day(operator: Operator, sandbox: Sandbox) -> None:
    stop_at(sandbox, 12)
    await operator.create_registry(schedule="0 0 * * *", syncWindow="PT3H")
    await operator.install()
    await operator.until_state("Online")

    sandbox.clock.turn(600)

    await operator.until_state("Offline")


async def test_a_nightly_registry_is_online_in_its_window(operator: Operator, sandbox: Sandbox) -> None:
    stop_at(sandbox, 12)
    await operator.create_registry(schedule="0 0 * * *", syncWindow="PT3H")
    await operator.install()
    await operator.until_state("Online")
    sandbox.clock.turn(600)
    await operator.until_state("Offline")

    sandbox.clock.turn(12 * 3600)

    async def synchronised() -> bool:
        return await last_sync(operator) == sandbox.clock.now()

    await operator.until_state("Online")
    assert await eventually(synchronised)


async def test_a_cut_link_makes_cluster_and_registry_fall_silent(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()

    await operator.control(link="down")
    sandbox.clock.turn(360)

    await operator.until_state("Offline")
    assert [pod.status.phase for pod in await operator.pods()] == ["Running"]


async def test_a_mended_link_brings_the_registry_back(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    await operator.control(link="down")
    sandbox.clock.turn(360)
    await operator.until_state("Offline")

    await operator.control(link="up")
    sandbox.clock.turn(60)

    await operator.until_state("Online")


async def test_what_was_ordered_while_the_link_was_cut_is_done_when_it_is_mended(operator: Operator) -> None:
    await operator.create_registry()
    await operator.control(link="down")
    poller = await operator.install(wait=False)

    await operator.control(link="up")

    extension = await poller.result()
    assert extension.properties.provisioning_state == "Succeeded"


async def test_an_edge_that_is_off_is_offline_at_once_and_its_api_server_unreachable(operator: Operator) -> None:
    await operator.deploy()

    await operator.control(offline=True)

    await operator.until_state("Offline")
    with pytest.raises(aiohttp.ClientError):
        await operator.core.list_node()


async def test_an_edge_that_is_on_again_comes_back_as_it_was(operator: Operator) -> None:
    await operator.deploy()
    await operator.control(offline=True)
    await operator.until_state("Offline")

    await operator.control(offline=False)

    await operator.until_state("Online")
    assert [pod.status.phase for pod in await operator.pods()] == ["Running"]


async def test_an_order_that_makes_no_sense_is_refused_in_words(operator: Operator) -> None:
    answer = await operator.control(scenario="earthquake")

    assert "There is no scenario 'earthquake'" in answer["error"]


async def test_an_unknown_cluster_is_refused_with_those_that_there_are(operator: Operator) -> None:
    operator.cluster = "paris"

    answer = await operator.control(offline=True)

    assert "berlin-arc" in answer["error"]
