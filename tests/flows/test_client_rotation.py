"""A new password for the client token of a workload, as conversations: no pull fails meanwhile."""

from typing import Any

from inline_snapshot import snapshot

from tests.flows.conversation import Conversation
from tests.flows.test_edge_images import pulling
from tests.flows.test_workload import in_cluster, online

__all__ = ["online", "pulling"]
ROTATE = "token rotate edge01 --site berlin --workload hello-world"


async def failed_pulls(registry: Conversation) -> list[str]:
    """Warnings about pulls in the namespace of the workload."""
    async with registry.kubectl() as core:
        events = (await core.list_namespaced_event("default", field_selector="type=Warning")).items
    return [event.message for event in events if event.reason == "Failed"]


async def passwords(registry: Conversation) -> dict[str, Any]:
    """Pull secrets in the cluster, the one that the Deployment has, and the token's slots with a password."""
    assert registry.box.azure
    tokens = registry.box.azure.cloud.registries["contosoacr"].tokens
    token = next(token for name, token in tokens.items() if "hello-world" in name)
    [deployment] = await in_cluster(registry, "deployments")
    return {
        "secrets": [secret["metadata"]["name"] for secret in await in_cluster(registry, "secrets")],
        "used": deployment["spec"]["template"]["spec"]["imagePullSecrets"][0]["name"],
        "slots": sorted(token.passwords),
    }


async def test_the_old_password_ends_when_every_pod_pulls_by_the_new_one(pulling: Conversation) -> None:
    await pulling.say(ROTATE)

    assert await pulling.answer() == snapshot("""\
Registry: :white_check_mark:  *New password for a workload's client token of edge01 at berlin*  ·  pulled by the new password
  requested by @alice TIME  ·  development  ·  `op-1`
  5 of 5 steps done
  *Took* N s
  [Show details]\
""")
    assert await pulling.thread() == snapshot(
        [
            ":white_check_mark:  Create: Pull secret regcred-hello-world-2  ·  N s",
            ":white_check_mark:  Verify: The edge accepts the new password  ·  N s",
            ":white_check_mark:  Change: Workload hello-world pulls by regcred-hello-world-2  ·  N s",
            ":white_check_mark:  Verify: Every Pod of hello-world has the new pull secret  ·  N s",
            ":white_check_mark:  Delete: Pull secret regcred-hello-world-1  ·  N s  ·  `ID`",
            ":white_check_mark:  New password for a workload's client token of edge01 at berlin: pulled by the new password in N s. @alice",
        ]
    )
    assert await passwords(pulling) == snapshot(
        {"secrets": ["regcred-hello-world-2"], "used": "regcred-hello-world-2", "slots": ["password2"]}
    )
    assert await failed_pulls(pulling) == []


async def test_a_password_of_which_nobody_knows_that_the_edge_accepts_it_is_given_to_no_pod(
    pulling: Conversation,
) -> None:
    await pulling.forbid_job()
    await pulling.say(ROTATE)
    card, before = await pulling.answer(), await passwords(pulling)
    await pulling.click("Retry", as_="alice")

    assert "failed: The cluster does not let the bot do this: its identity lacks `create jobs.batch in default`" in card
    assert before == snapshot(
        {
            "secrets": ["regcred-hello-world-1", "regcred-hello-world-2"],
            "used": "regcred-hello-world-1",
            "slots": ["password1", "password2"],
        }
    )
    assert (await pulling.operation()).state == "succeeded"
    assert await passwords(pulling) == snapshot(
        {"secrets": ["regcred-hello-world-2"], "used": "regcred-hello-world-2", "slots": ["password2"]}
    )
    assert await failed_pulls(pulling) == []


async def test_what_stands_in_the_way_of_a_new_password_is_said(pulling: Conversation) -> None:
    await pulling.say("token rotate edge01 --site berlin --workload shop")

    assert await pulling.blockers() == snapshot("""\
  :no_entry:  The namespace `default` at `berlin` has no workload `shop`.
  Check the name, and name the namespace with `--namespace`.\
""")
