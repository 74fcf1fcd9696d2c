"""Workloads that pull from a connected registry, as conversations."""

from dataclasses import replace
from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.manifest import SCOPES
from sandbox.azure.images import sample_image
from tests.flows.conversation import Conversation
from tests.flows.worlds import Surroundings

HELLO = "workload deploy edge01 --site berlin --image hello-world:latest"
MINUTE = 60


@pytest.fixture
async def online(registry: Conversation) -> Conversation:
    """edge01 is online at berlin."""
    await registry.say("deploy edge01 --site berlin")
    registry.said.clear()
    return registry


async def deploy(registry: Conversation, command: str = HELLO) -> None:
    """Deploy a workload whose token the edge gets to know a minute later."""
    await registry.say(command, quiet=False)
    await registry.running("client_token.synced")
    await registry.post("/sandbox/clock", turn=MINUTE)
    await registry.quiet()


async def in_cluster(registry: Surroundings, kind: str) -> list[dict[str, Any]]:
    """Objects of the bot's in the namespace `default`."""
    path = {"deployments": "/apis/apps/v1", "secrets": "/api/v1"}[kind]
    async with registry.kubectl() as core:
        answer = await core.api_client.call_api(
            *await core.api_client.param_serialize(
                method="GET",
                resource_path=f"{path}/namespaces/default/{kind}",
                query_params=[("labelSelector", "app.kubernetes.io/managed-by=registry-bot")],
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
            )
        )
        listed: dict[str, Any] = await answer.response.json()
    return list(listed["items"])


async def world(registry: Conversation) -> dict[str, list[str]]:
    """What a workload leaves in Azure and in the cluster."""
    assert registry.box.azure
    acr = registry.box.azure.cloud.registries["contosoacr"]
    return {
        "tokens": sorted(acr.tokens),
        "scope maps": sorted(acr.scope_maps),
        "client tokens": [one.rpartition("/")[2] for one in acr.connected["edge01"].client_tokens],
        "deployments": [one["metadata"]["name"] for one in await in_cluster(registry, "deployments")],
        "secrets": [one["metadata"]["name"] for one in await in_cluster(registry, "secrets")],
    }


async def test_an_image_that_ends_at_once_is_proven_by_the_digest_of_the_cloud(online: Conversation) -> None:
    await deploy(online)

    assert await online.answer() == snapshot("""\
Registry: :white_check_mark:  *Deploy a workload from edge01 at berlin*  ·  pulled
  requested by @alice TIME  ·  development  ·  `op-1`
  7 of 7 steps done
  *Digest, as in the cloud* `sha256:ac7d26b223ed4d0fb25267ea8331c92453e590aa50a4a3f35685491152f00f48`
  *Pulled by* 1 Pod on berlin-1
  *Remark* the container ended with exit code 0
  *Took* N s
  [Show details]\
""")
    assert await online.thread() == snapshot(
        [
            ":white_check_mark:  Create: Scope map edge01-hello-world-e79d9388  ·  N s  ·  `ID`",
            ":white_check_mark:  Create: Client token edge01-hello-world-e79d9388  ·  N s  ·  `ID`",
            ":white_check_mark:  Change: Client tokens of edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Verify: edge01 has synced since  ·  N s",
            ":white_check_mark:  Create: Pull secret regcred-hello-world  ·  N s",
            ":white_check_mark:  Create: Workload hello-world  ·  N s",
            ":white_check_mark:  Verify: hello-world has the cloud's image  ·  N s  ·  sha256:ac7d26b223ed",
            ":white_check_mark:  Deploy a workload from edge01 at berlin: pulled in N s. @alice",
        ]
    )
    assert await world(online) == snapshot(
        {
            "tokens": ["edge01", "edge01-hello-world-e79d9388"],
            "scope maps": [
                "_repositories_admin",
                "_repositories_pull",
                "_repositories_pull_metadata_read",
                "_repositories_push",
                "_repositories_push_metadata_write",
                "edge01",
                "edge01-hello-world-e79d9388",
            ],
            "client tokens": ["edge01-hello-world-e79d9388"],
            "deployments": ["hello-world"],
            "secrets": ["regcred-hello-world-1"],
        }
    )


async def test_the_workloads_of_a_registry_are_shown_with_their_proof(online: Conversation) -> None:
    await deploy(online)
    await online.say("workload show edge01 --site berlin")

    of_one = await online.answer()
    await online.edge("hamburg", offline=True)
    await online.say("workload list")
    of_all = await online.answer()
    assert of_one == snapshot("""\
Registry (only you): Workload | Namespace | Image | Pods | Digest | As in the cloud | State
  hello-world | default | hello-world:latest | 1 of 1 pulled | sha256:ac7d26b223ed | yes | ends with exit code 0, and is started again
  `workload delete WORKLOAD --site berlin` deletes one with its pull secret and client token.\
""")
    assert "Could not be asked: `hamburg`. The cluster could not be reached" in of_all
    assert "1 workload of the bot at 2 sites" in of_all
    assert (
        "hello-world | berlin | default | edge01 | hello-world:latest | 1 of 1 pulled | sha256:ac7d26b223ed" in of_all
    )


async def test_what_stands_in_the_way_is_said_with_what_to_do(online: Conversation) -> None:
    await online.say("workload deploy edge01 --site berlin --image nginx:1.25 --namespace shop")
    assert await online.blockers() == snapshot("""\
  :no_entry:  `edge01` does not sync the repository `nginx`; it has `hello-world`.
  Add it, and give the command again after the next sync.
  `az acr connected-registry permissions update --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --add nginx`
  :no_entry:  The cloud registry `contosoacr` has no repository `nginx`.
  Check the name, or import the image.
  `az acr repository list --name contosoacr --subscription ID --output table`
  :no_entry:  The cluster has no namespace `shop`. The bot makes none, since it has its rights by namespace.
  Create it, and apply `deploy/rbac/workloads.yaml` for it.
  `kubectl create namespace shop`\
""")
    await online.say("workload deploy edge01 --site berlin --image hello-world:v9")
    assert await online.blockers() == snapshot("""\
  :no_entry:  The repository `hello-world` of `contosoacr` has no `hello-world:v9`.
  Check the tag, or import the image.
  `az acr repository show-tags --name contosoacr --subscription ID --repository hello-world --output table`\
""")
    await online.say("workload deploy edge10 --site berlin --image hello-world")
    assert await online.blockers() == snapshot("""\
  :no_entry:  The cloud registry `contosoacr` has no connected registry `edge10`.
  Check the name; similar ones: `edge01`.
  `az acr connected-registry list --registry contosoacr --resource-group edge-rg --subscription ID --output table`\
""")
    await online.say("workload deploy edge01 --site hamburg --image hello-world")
    assert await online.blockers() == snapshot("""\
  :no_entry:  `edge01` is not installed at `hamburg`, so nothing there can pull from it.
  Name the site where it is, or deploy it here.\
""")


async def test_a_slip_is_answered_at_once(online: Conversation) -> None:
    await online.say("workload deploy edge01 --site berlin --image contosoacr.azurecr.io/hello-world:latest")
    await online.say("workload deploy edge01 --site berlin --image Hello:latest")
    await online.say("workload deploy edge01 --site berlin --image hello-world --replicas 0")
    await online.say(HELLO, as_="dave")

    assert await online.transcript() == snapshot("""\
alice  /registry workload deploy edge01 --site berlin --image contosoacr.azurecr.io/hello-world:latest
bot    (only alice) `contosoacr.azurecr.io/hello-world:latest` names a host. Leave it out: the image comes from the connected registry's own address.
       /registry workload deploy edge01 --site berlin --image hello-world:latest   [Run this]
alice  /registry workload deploy edge01 --site berlin --image Hello:latest
bot    (only alice) `Hello:latest` is not an image. Use a repository with a tag or a digest, such as `hello-world:latest`.
       /registry workload deploy edge01 --site berlin --image hello:latest   [Run this]
alice  /registry workload deploy edge01 --site berlin --image hello-world --replicas 0
bot    (only alice) `0` is out of bounds: `--replicas` takes 1 to 100.
dave   /registry workload deploy edge01 --site berlin --image hello-world:latest
bot    (only dave) This needs `registry:write`, which you don't have. The role *operator* or *admin* includes it; the access file grants roles. `/registry whoami` shows what you have.\
""")


async def test_a_dry_run_shows_the_plan_and_writes_nothing(online: Conversation) -> None:
    before = await world(online)
    await online.say(f"{HELLO} --replicas 2 --port 8080 --dry-run")
    plan = await online.answer()

    assert plan == snapshot("""\
Registry (only you): :mag:  *Deploy a workload from edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  *Plan: 7 steps*
  :white_circle:  Create: Scope map edge01-hello-world-e79d9388  ·  may pull hello-world
  :white_circle:  Create: Client token edge01-hello-world-e79d9388
  :white_circle:  Change: Client tokens of edge01  ·  edge01-hello-world-e79d9388 may pull
  :white_circle:  Verify: edge01 has synced since
  :white_circle:  Create: Pull secret regcred-hello-world  ·  in the namespace default, with a fresh password of edge01-hello-world-e79d9388
  :white_circle:  Create: Workload hello-world  ·  10.96.0.2/hello-world:latest, 2 Pods, port 8080, in the namespace default
  :white_circle:  Verify: hello-world has the cloud's image  ·  by the digest sha256:ac7d26b223ed of hello-world in the cloud
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert await world(online) == before


async def test_a_deployment_of_somebody_else_is_left_alone(online: Conversation) -> None:
    async with online.kubectl() as core:
        labels = {"app": "hello"}
        spec = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "a", "image": "b"}]}},
        }
        await core.api_client.call_api(
            *await core.api_client.param_serialize(
                method="POST",
                resource_path="/apis/apps/v1/namespaces/default/deployments",
                header_params={"Content-Type": "application/json"},
                body={"metadata": {"name": "hello-world"}, "spec": spec},
                auth_settings=["BearerToken"],
            )
        )
    await online.say(HELLO)
    assert await online.blockers() == snapshot("""\
  :no_entry:  The namespace `default` has a Deployment `hello-world` that the bot did not make. It is left alone.
  Choose another name or namespace.\
""")
    await online.say("workload delete hello-world --site berlin")
    assert await online.blockers() == snapshot("""\
  :no_entry:  The namespace `default` has a Deployment `hello-world` that the bot did not make. It is left alone.
  Choose another name or namespace.\
""")


async def test_a_certificate_that_the_node_does_not_trust_is_the_cause_and_a_retry_goes_on(
    online: Conversation,
) -> None:
    await online.edge(scenario="trust-missing")
    await deploy(online)
    failed = await online.card_of("berlin")
    await online.mended()
    await online.click("Retry", as_="carol")

    assert failed == snapshot("""\
Registry: :x:  *Deploy a workload from edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  6 of 7 steps done, stopped at *Verify: hello-world has the cloud's image*
  These nodes do not trust the certificate of `edge01`: `berlin-1`. In the node's words: `failed to do request: Head "https://10.96.0.2/v2/hello-world/manifests/latest": tls: failed to verify certificate: x509: certificate signed by unknown authority`
  The extension's trust DaemonSet configures Debian-based Linux nodes, and those that its node selector names. Let it run on these nodes, or have them trust the registry's certificate authority: k3s, RKE2, MicroK8s and OpenShift have a place of their own for that (docs/runbook.md). Then retry.
  `kubectl get daemonsets,pods --namespace connected-registry --output wide`
  Left behind: Scope map edge01-hello-world-e79d9388, Client token edge01-hello-world-e79d9388, Client tokens of edge01, Pull secret regcred-hello-world and Workload hello-world.
  [Retry] [Show details]\
""")
    assert (await online.operation()).state == "succeeded"


async def test_a_pull_that_is_refused_gets_another_password_with_the_retry(online: Conversation) -> None:
    await online.fault(
        "azure", "GET /v2/$", times=None, status=401, code="UNAUTHORIZED", message="authentication required"
    )
    await deploy(online)
    cause = (await online.card_of("berlin")).splitlines()[2:5]
    before = [one["metadata"]["name"] for one in await in_cluster(online, "secrets")]
    await online.mended()
    await online.click("Retry", as_="carol")

    assert cause == snapshot(
        [
            "  6 of 7 steps done, stopped at *Verify: hello-world has the cloud's image*",
            "  `edge01` refuses the client token `edge01-hello-world-e79d9388`: `failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://10.96.0.2/oauth2/token?[removed] 401 Unauthorized` It may not have synced since the token was made, or the password has been replaced. Last sync: TIME; schedule `* * * * *` (UTC), next contact TIME.",
            "  Retry: another password is made, and pulls that work are not touched.",
        ]
    )
    assert before == ["regcred-hello-world-1"]
    assert [one["metadata"]["name"] for one in await in_cluster(online, "secrets")] == ["regcred-hello-world-2"]
    assert (await online.operation()).state == "succeeded"


async def test_an_edge_that_syncs_seldom_says_when_it_will_know_the_token(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --schedule '0 3 29 2 *' --window 1h")
    registry.said.clear()
    await registry.post("/sandbox/clock", turn=120 * MINUTE)
    await registry.until(lambda: _is_offline(registry))
    await registry.say(HELLO)

    assert await registry.card_of("berlin") == snapshot("""\
Registry: :x:  *Deploy a workload from edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  3 of 7 steps done, stopped at *Verify: edge01 has synced since*
  `edge01` has not synced since the client token was added to its list, and does not know it yet. Last sync: TIME; schedule `0 3 29 2 *` (UTC), next contact TIME.
  Retry after its next sync: what is made so far is kept.
  `az acr connected-registry show --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --output table`
  Left behind: Scope map edge01-hello-world-e79d9388, Client token edge01-hello-world-e79d9388 and Client tokens of edge01.
  [Retry] [Show details]\
""")


async def _is_offline(registry: Conversation) -> bool:
    edge = await registry.bot.services.azure.connected.get(registry.bot.services.sites["berlin"].acr_ref, "edge01")
    return edge.connection_state == "Offline"


async def test_a_node_with_an_older_image_than_the_cloud_is_no_proof(online: Conversation) -> None:
    await deploy(online)
    assert online.box.azure
    images = online.box.azure.cloud.registries["contosoacr"].images
    images.put("hello-world", "latest", sample_image("hello-world:newer"), online.box.clock.now())
    await online.say(f"{HELLO} --replicas 2")

    assert (await online.card_of("berlin")).splitlines()[2:5] == snapshot(
        [
            "  1 of 2 steps done, 4 kept as they are, stopped at *Verify: hello-world has the cloud's image*",
            "  The node `berlin-1` has another image than the cloud: `sha256:ac7d26b223ed4d0fb25267ea8331c92453e590aa50a4a3f35685491152f00f48` instead of `sha256:9f3a889fc0617c7648ee9c45483a8e0bfb78395249b2832516cb77eed484fedf`. Last sync: TIME; schedule `* * * * *` (UTC), next contact TIME.",
            "  Retry after the next sync. A tag that moves is pulled again only by new Pods, and, unless it is `latest`, only on nodes that do not have it.",
        ]
    )


async def test_the_same_again_changes_nothing_and_looks_again(online: Conversation) -> None:
    await deploy(online)
    before = await world(online)
    await online.say(HELLO)

    assert (await online.card_of("berlin")).partition("Took")[0] == snapshot("""\
Registry: :white_check_mark:  *Deploy a workload from edge01 at berlin*  ·  pulled
  requested by @alice TIME  ·  development  ·  `op-3`
  1 of 1 step done, 5 kept as they are
  *Digest, as in the cloud* `sha256:ac7d26b223ed4d0fb25267ea8331c92453e590aa50a4a3f35685491152f00f48`
  *Pulled by* 1 Pod on berlin-1
  *Remark* the container ended with exit code 0
  *\
""")
    assert await world(online) == before


async def test_a_deletion_leaves_the_world_as_it_was(online: Conversation) -> None:
    before = await world(online)
    await deploy(online)
    await online.say("workload delete hello-world --site berlin")

    assert await online.answer() == snapshot("""\
Registry: :white_check_mark:  *Delete workload hello-world at berlin*  ·  deleted
  requested by @alice TIME  ·  development  ·  `op-1`
  5 of 5 steps done
  *Took* N s
  [Show details]\
""")
    assert await world(online) == before


async def test_a_deletion_that_failed_half_way_goes_on(online: Conversation) -> None:
    before = await world(online)
    await deploy(online)
    await online.fault("azure", "DELETE .*/tokens/.*", status=409, code="Conflict", message="It is in use.")
    await online.say("workload delete hello-world --site berlin")
    failed = (await online.operation("hello-world")).state
    await online.say("workload delete hello-world --site berlin")

    assert failed == "failed"
    assert (await online.operation("hello-world")).state == "succeeded"
    assert await world(online) == before


async def test_a_client_token_that_another_registry_lists_is_kept(online: Conversation) -> None:
    await online.say("deploy edge02 --site hamburg")
    await online.click("Approve", as_="bob")
    await deploy(online)
    services = online.bot.services
    acr = services.sites["berlin"].acr_ref
    edge = await services.azure.connected.get(acr, "edge01")
    await services.azure.connected.set_client_tokens(acr, "edge02", edge.client_token_ids)
    await online.say("workload delete hello-world --site berlin")

    assert await online.card_of("berlin") == snapshot("""\
Registry: :white_check_mark:  *Delete workload hello-world at berlin*  ·  deleted
  requested by @alice TIME  ·  development  ·  `op-4`
  3 of 3 steps done
  *Took* N s
  [Show details]\
""")
    assert (await services.azure.tokens.get(acr, edge.client_token_ids[0].rpartition("/")[2])).enabled


async def test_an_image_for_other_processors_is_the_cause(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="bob")
    assert registry.box.azure
    images = registry.box.azure.cloud.registries["contosoacr"].images
    images.put("hello-world", "amd64", sample_image("hello-world:amd64", ("amd64",)), registry.box.clock.now())
    await registry.say("workload deploy edge01 --site hamburg --image hello-world:amd64")
    warned = (await registry.answer()).splitlines()[2:4]
    await registry.click("Approve", as_="bob", card="workload", quiet=False)
    await registry.running("client_token.synced")
    await registry.post("/sandbox/clock", turn=MINUTE)
    await registry.quiet()

    assert warned == snapshot(
        [
            "  :warning:  `hello-world:amd64` is made for `linux/amd64`, which these nodes are not: `hamburg-2`. Pods that land there fail.",
            "  Push an image for their platform too, or taint them.",
        ]
    )
    assert (await registry.card_of("hamburg")).splitlines()[2:4] == snapshot(
        [
            "  6 of 7 steps done, stopped at *Verify: hello-world has the cloud's image*",
            "  `hello-world:amd64` has no variant for the node `hamburg-2`: `no match for platform in manifest: not found`",
        ]
    )


async def test_a_removal_of_the_connected_registry_takes_its_workloads_along(online: Conversation) -> None:
    assert online.box.azure
    acr = online.box.azure.cloud.registries["contosoacr"]
    await deploy(online)
    await online.say("remove edge01 --site berlin")
    await online.fill(confirm="edge01")

    assert (await online.operation()).state == "succeeded"
    assert (await in_cluster(online, "deployments"), await in_cluster(online, "secrets")) == ([], [])
    assert (acr.connected, acr.tokens, acr.scope_maps.keys() & {"edge01"}) == ({}, {}, set())


MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: greeter
spec:
  template:
    metadata:
      labels: {app: greeter}
    spec:
      containers:
        - name: hello
          image: mcr.microsoft.com/hello-world:latest
          env:
            - name: LANGUAGE
              value: de
"""


async def test_a_manifest_in_the_form_pasted_or_attached_is_deployed_with_its_image_from_the_edge(
    online: Conversation,
) -> None:
    await online.say("workload deploy edge01 --site berlin")
    slip = await online.fill(manifest=MANIFEST.replace("containers:", "hostNetwork: true\n      containers:"))
    await online.fault("kube", "POST /berlin/apis/apps/v1/namespaces/default/deployments", status=422)
    await online.fill(manifest=MANIFEST)
    refused = await online.blockers()
    await online.mended()
    await online.say("workload deploy edge01 --site berlin")
    await online.fill(attachment={"name": "greeter.yaml", "content": MANIFEST}, quiet=False)
    await online.running("client_token.synced")
    await online.post("/sandbox/clock", turn=MINUTE)
    await online.quiet()

    assert slip["errors"]["manifest"].startswith("spec.template.spec.hostNetwork of the manifest is not let through.")
    assert "The API server refuses the manifest in a dry run" in refused
    assert (await online.operation()).state == "succeeded"
    [deployment] = await in_cluster(online, "deployments")
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["labels"]["app"] == "greeter"
    assert pod["spec"]["containers"][0]["image"].endswith("/hello-world:latest")
    assert pod["spec"]["containers"][0]["env"] == [{"name": "LANGUAGE", "value": "de"}]
    await online.say("workload delete greeter --site berlin")
    assert (await world(online))["deployments"] == []


async def test_a_file_that_is_no_good_manifest_is_refused_beside_its_field(registry: Conversation) -> None:
    wild = MANIFEST.replace("containers:", "hostNetwork: true\n      containers:")
    files = ({"content": " "}, {"base64": "//4="}, {"content": "#" * 24_001}, {"is_external": True}, {"content": wild})
    await registry.say("workload deploy edge01 --site berlin")
    answers = [await registry.fill(attachment={"name": "app.yaml", **file}) for file in files]
    answers.append(await registry.fill(manifest=MANIFEST, attachment={"name": "app.yaml", "content": MANIFEST}))

    assert [answer["errors"]["attachment"] for answer in answers] == snapshot(
        [
            "app.yaml is empty.",
            "app.yaml is not text in UTF-8. Save it with that encoding, then attach it again.",
            "app.yaml is too large: at most 24,000 bytes.",
            "app.yaml is not in Slack but in another service, where the bot can't read it. Attach the file itself.",
            "spec.template.spec.hostNetwork of the manifest is not let through. What reaches the node, another namespace, a Secret or the API server's credentials is refused, and so is everything that is not known to be harmless.",
            "Paste a manifest or attach a file, not both.",
        ]
    )


async def test_a_form_whose_file_slack_does_not_hand_out_any_more_stays_open_with_what_was_filled_in(
    registry: Conversation,
) -> None:
    assert registry.box.slack
    workspace = registry.box.slack.workspace
    await registry.say("workload deploy edge01 --site berlin")
    workspace.app = replace(workspace.app, scopes=frozenset(SCOPES) - {"files:read"})
    refused = await registry.fill(workload="greeter", attachment={"name": "app.yaml", "content": MANIFEST})
    still_open = (await registry.form())["view"]
    workspace.app = replace(workspace.app, scopes=None)
    taken = await registry.fill(dry_run="yes")

    assert "files:read" in refused["errors"]["attachment"]
    assert still_open
    assert taken["ok"]
    assert "*Deploy a workload from edge01 at berlin*" in await registry.answer()
