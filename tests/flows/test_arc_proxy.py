"""A site that is reached through an Arc proxy beside the bot."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.arc_proxy import ArcProxy
from tests.flows.conversation import Conversation, conversation, site


@dataclass
class Behind:
    """What people say, and the proxy that the operator runs."""

    talk: Conversation
    proxy: ArcProxy

    async def check(self) -> str:
        """What `check` says of the site."""
        await self.talk.say("check berlin")
        return await self.talk.answer()

    async def ping(self) -> str:
        """What `ping` says of the site's cluster."""
        await self.talk.say("ping")
        return next(line for line in (await self.talk.answer()).splitlines() if "Cluster of berlin" in line)


@pytest.fixture
async def behind(tmp_path: Path) -> AsyncIterator[Behind]:
    """The operator has not started the proxy yet."""
    access = {"kubeconfig": str(tmp_path / "arc.kubeconfig")}
    berlin = site("berlin", access="arc", cluster={"name": "berlin-arc", "kubernetes": access})
    async with conversation(tmp_path, berlin=berlin) as talk:
        proxy = ArcProxy(Path(talk.box.environment()["KUBECONFIG"]), "berlin", tmp_path)
        yield Behind(talk, proxy)
        await proxy.stop()


async def test_a_deployment_goes_through_the_proxy(behind: Behind) -> None:
    await behind.proxy.start()
    await behind.talk.say("deploy edge01 --site berlin")

    assert (await behind.talk.operation()).state == "succeeded"
    assert "*Access to the cluster* through an Arc proxy beside the bot" in await shown(behind)
    answered = (await behind.talk.get("/sandbox/kube/requests"))["berlin"]
    by_the_bot = {f"{one['method']} {one['path']}" for one in answered if one["user"] == "bot"}
    assert by_the_bot
    assert by_the_bot == {line.partition("?")[0] for line in behind.proxy.requests}


async def shown(behind: Behind) -> str:
    """The site's card."""
    await behind.talk.say("site show berlin")
    return await behind.talk.answer()


async def test_each_part_of_the_way_that_fails_is_named_with_what_helps(behind: Behind) -> None:
    assert "The Arc proxy of this site has written no kubeconfig" in await behind.check()
    assert "its Arc proxy does not run" in await behind.ping()

    await behind.proxy.start()
    assert (await behind.ping()).endswith(" ms")

    behind.proxy.has_relay = False
    await behind.talk.post("/sandbox/azure/clusters/berlin-arc", connectivityStatus="Offline")
    assert "Azure Arc has no contact with it (Offline)" in await behind.ping()

    await behind.talk.post("/sandbox/azure/clusters/berlin-arc", connectivityStatus=None)
    assert "The Arc proxy of this site runs, but has no answer from the cluster." in await behind.check()

    await behind.talk.post("/sandbox/azure/clusters/berlin-arc", connectivityStatus="Offline")
    offline = await behind.check()
    assert "Azure Arc has no contact with the cluster (`Offline`, last heartbeat TIME)" in offline
    assert "Restarting the proxy does not help." in offline

    await behind.talk.post("/sandbox/azure/clusters/berlin-arc", connectivityStatus="Expired")
    assert "The Arc agents' identity has expired" in await behind.check()

    await behind.talk.post("/sandbox/azure/clusters/berlin-arc", connectivityStatus=None)
    await behind.proxy.stop()
    assert "The Arc proxy of this site does not listen where its kubeconfig says" in await behind.check()


async def test_a_token_that_ran_out_is_named_and_a_new_one_is_read_without_a_restart(behind: Behind) -> None:
    await behind.proxy.start()
    await behind.talk.post("/sandbox/kube/credentials", user="bot", do="expire")
    expired = await behind.check()
    assert "The cluster rejects the token that its Arc proxy was started with" in expired
    assert "Create a new token, and restart the proxy with it" in expired
    assert "rejects the token of its Arc proxy" in await behind.ping()

    await behind.proxy.stop()
    await behind.talk.post("/sandbox/kube/credentials", user="bot", do="renew")
    await behind.proxy.start()
    assert (await behind.ping()).endswith(" ms")
