"""Which images are at the edge: asked there by a Job, and compared with the cloud."""

from datetime import timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot
from kubernetes.aio import client as kube

from sandbox.azure.images import Repository, sample_image
from tests.flows.conversation import Conversation
from tests.flows.test_workload import MINUTE, deploy, online
from tests.flows.worlds import Surroundings

__all__ = ["online"]
IMAGES = "images edge01 --site berlin"


@pytest.fixture
async def pulling(online: Conversation) -> Conversation:
    """A workload at berlin pulls hello-world from edge01, so its token may read that."""
    await deploy(online)
    online.said.clear()
    return online


def push(registry: Surroundings, *tags: str) -> Repository:
    """Point tags of hello-world in the cloud at a new image; the repository."""
    assert registry.box.azure
    images = registry.box.azure.cloud.registries["contosoacr"].images
    for tag in tags:
        images.put("hello-world", tag, sample_image("hello-world:new"), registry.box.clock.now())
    return images.repositories["hello-world"]


async def test_what_nothing_at_the_edge_may_read_could_not_be_asked_and_is_not_missing(online: Conversation) -> None:
    await online.say(IMAGES)

    assert await online.answer() == snapshot("""\
Registry (only you): :warning:  *edge01* at *berlin* has 1 tag to compare: 1 could not be asked.
  Could not be asked: `hello-world`. No workload of the bot pulls from there, and nothing else may read them at the edge. `/registry workload deploy edge01 --site berlin --image hello-world:TAG`
  Repository | Tag | State | In the cloud | At the edge
  hello-world | latest | could not be asked | sha256:ac7d26b223ed | unknown\
""")


async def test_the_edge_is_asked_by_a_job_of_which_nothing_stays(pulling: Conversation) -> None:
    await pulling.say(f"{IMAGES} hello-world")

    assert await pulling.answer() == snapshot("""\
Registry (only you): :white_check_mark:  *edge01* at *berlin* has 1 tag to compare: 1 there.
  Repository | Tag | State | In the cloud | At the edge
  hello-world | latest | there | sha256:ac7d26b223ed | sha256:ac7d26b223ed\
""")
    async with pulling.kubectl() as core:
        batch: Any = kube.BatchV1Api(core.api_client)
        assert (await batch.list_namespaced_job("default")).items == []


async def test_what_is_pushed_while_the_edge_has_no_link_is_due_and_later_late(pulling: Conversation) -> None:
    await pulling.edge(link="down")
    push(pulling, "latest", "v2")
    await pulling.say(IMAGES)
    due = await pulling.answer()
    await pulling.wait_until(timedelta(hours=1))
    await pulling.say(IMAGES)

    assert due == snapshot("""\
Registry (only you): :hourglass_flowing_sand:  *edge01* at *berlin* has 2 tags to compare: 2 due.
  What is due comes with the sync of TIME.
  Repository | Tag | State | In the cloud | At the edge
  hello-world | latest | due TIME | sha256:22d2aad88644 | sha256:ac7d26b223ed
  hello-world | v2 | due TIME | sha256:22d2aad88644 | none\
""")
    assert await pulling.answer() == snapshot("""\
Registry (only you): :warning:  *edge01* at *berlin* has 2 tags to compare: 1 different and 1 late.
  The last sync ended TIME. A tag that was pushed at the edge is different too, until the cloud has it.
  Repository | Tag | State | In the cloud | At the edge
  hello-world | v2 | late: it should be there by now | sha256:22d2aad88644 | none
  hello-world | latest | different: it should be the same by now | sha256:22d2aad88644 | sha256:ac7d26b223ed\
""")


async def test_an_index_that_came_in_part_is_not_there(pulling: Conversation) -> None:
    await pulling.edge(link="down", scenario="partial-index")
    push(pulling, "v2").drop_tag("latest")
    await pulling.say(IMAGES)
    before = await pulling.answer()
    await pulling.edge(link="up")
    await pulling.post("/sandbox/clock", turn=MINUTE)

    async def is_synced() -> bool:
        await pulling.say(IMAGES)
        return "incomplete" in await pulling.answer()

    await pulling.until(is_synced)
    assert before == snapshot("""\
Registry (only you): :warning:  *edge01* at *berlin* has 2 tags to compare: 1 due and 1 at the edge alone.
  What is due comes with the sync of TIME.
  Repository | Tag | State | In the cloud | At the edge
  hello-world | latest | not in the cloud | none | sha256:ac7d26b223ed
  hello-world | v2 | due TIME | sha256:22d2aad88644 | none\
""")
    assert await pulling.answer() == snapshot("""\
Registry (only you): :warning:  *edge01* at *berlin* has 1 tag to compare: 1 incomplete.
  Repository | Tag | State | In the cloud | At the edge
  hello-world | v2 | incomplete: 1 manifest of its index missing | sha256:22d2aad88644 | sha256:22d2aad88644\
""")


async def test_a_cluster_that_does_not_answer_makes_no_image_missing(pulling: Conversation) -> None:
    await pulling.edge(offline=True)
    await pulling.say(IMAGES)

    answer = await pulling.answer()
    assert "Could not be asked: `hello-world`. The cluster could not be reached" in answer
    assert "hello-world | latest | could not be asked | sha256:ac7d26b223ed | unknown" in answer


async def test_the_right_that_the_bot_lacks_is_named_with_the_manifest_that_gives_it(pulling: Conversation) -> None:
    await pulling.forbid_job()
    await pulling.say(IMAGES)

    assert await pulling.answer() == snapshot("""\
Registry (only you): :warning:  *edge01* at *berlin* has 1 tag to compare: 1 could not be asked.
  Could not be asked: `hello-world`. The bot's own identity may not do this to `berlin: create jobs.batch in default` (it lacks `create jobs.batch in default`). Your own rights are not the problem: whoever runs the bot has to grant it that right. Its answer: _403: jobs.batch is forbidden: User "registry-bot" cannot create resource "jobs" in API group "batch" in the namespace "default"_ `kubectl apply --filename deploy/rbac/images.yaml`
  Repository | Tag | State | In the cloud | At the edge
  hello-world | latest | could not be asked | sha256:ac7d26b223ed | unknown\
""")


async def test_where_an_image_is_counts_the_edges_that_have_it_and_sets_those_apart_that_were_not_asked(
    pulling: Conversation,
) -> None:
    await pulling.say("deploy edge02 --site hamburg", quiet=False)
    await pulling.reached("waiting", "edge02")
    await pulling.click("Approve", as_="bob")
    await pulling.say("where hello-world:latest")

    assert await pulling.answer() == snapshot("""\
Registry (only you): :warning:  1 of 2 edges have `hello-world:latest` with `sha256:ac7d26b223ed`; 1 could not be asked.
  Could not be asked: `edge02` (hamburg). No workload of the bot pulls from there, and nothing else may read them at the edge.
  Edge | Site | Cloud registry | State | In the cloud | At the edge
  edge02 | hamburg | contosoacr | could not be asked | sha256:ac7d26b223ed | unknown\
""")


async def test_an_image_may_be_named_by_its_digest_and_one_that_the_cloud_lacks_is_no_edges_fault(
    pulling: Conversation,
) -> None:
    await pulling.say("where hello-world:v9")
    unknown = await pulling.answer()
    digest = push(pulling, "v2").tags["latest"]
    await pulling.say(f"where hello-world@{digest} --site berlin")

    assert unknown == snapshot("""\
Registry (only you): :warning:  No cloud registry has `hello-world:v9`.
  `contosoacr` has no `hello-world:v9`.\
""")
    assert await pulling.answer() == snapshot(
        "Registry (only you): :white_check_mark:  1 of 1 edge has `hello-world@sha256:ac7d26b223ed4d0fb25267ea8331c92453e590aa50a4a3f35685491152f00f48` with `sha256:ac7d26b223ed`."
    )
