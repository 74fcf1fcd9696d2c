"""What stands in the way is said before anything is written, with how to mend it."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.flows.conversation import Conversation, conversation, site


async def test_a_cluster_that_cannot_run_it_is_told_with_all_its_reasons(registry: Conversation) -> None:
    before = await registry.azure()
    await registry.say("deploy edge01 --site lyon")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The cluster has no linux/amd64 node (it has `linux/arm64`); the extension runs on nothing else.
  Add a linux/amd64 node.
  :no_entry:  The cluster has no default storage class, so the volume would stay Pending. Its storage classes: none.
  Mark one as default or name one with `--storage-class`; if there is none, create one.
  `kubectl get storageclasses`\
""")
    assert _resources(await registry.azure()) == _resources(before)


async def test_a_basic_registry_stands_in_the_way(tmp_path: Path) -> None:
    async with conversation(tmp_path, berlin=site("berlin", acr={"name": "contosolab"})) as talk:
        await talk.say("deploy edge01 --site berlin")

        assert await talk.blockers() == snapshot("""\
  :no_entry:  The registry `contosolab` is `Basic`; connected registries need Premium.
  Upgrade it (the price changes) or name another registry in the site file.
  `az acr update --name contosolab --resource-group edge-rg --subscription ID --sku Premium`\
""")


async def test_a_registry_that_is_not_there_stands_in_the_way(tmp_path: Path) -> None:
    async with conversation(tmp_path, berlin=site("berlin", acr={"name": "contosonew"})) as talk:
        await talk.say("deploy edge01 --site berlin")

        assert await talk.blockers() == snapshot("""\
  :no_entry:  There is no registry `contosonew` in the resource group `edge-rg`.
  Create it, or set `acr.create_in` in the site file to let the deployment do so.
  `az acr create --name contosonew --resource-group edge-rg --subscription ID --sku Premium --data-endpoint-enabled true`\
""")


async def test_a_registry_that_is_not_there_is_created_where_the_site_says_so(tmp_path: Path) -> None:
    acr = {"name": "contosonew", "create_in": "westeurope"}
    async with conversation(tmp_path, berlin=site("berlin", acr=acr)) as talk:
        await talk.say("deploy edge01 --site berlin")

        assert (await talk.operation()).state == "succeeded"
        assert [one["name"] for one in (await talk.azure())["registries"]] == snapshot(
            ["contosoacr", "contosolab", "contosonew"]
        )


async def test_a_given_address_outside_the_range_stands_in_the_way(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --service-ip 10.200.0.5")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The Service address `10.200.0.5` is in none of the cluster's Service ranges (`10.96.0.0/16`).
  Leave `--service-ip` out, or give a free one such as `10.96.0.2`.\
""")


async def test_a_given_address_of_somebody_else_stands_in_the_way(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --service-ip 10.96.0.10")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The Service address `10.96.0.10` is in use.
  Leave `--service-ip` out, or give a free one such as `10.96.0.2`.
  `kubectl get services --all-namespaces | grep --word-regexp 10.96.0.10`\
""")


async def test_a_registry_that_is_active_elsewhere_stands_in_the_way(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("deploy edge01 --site hamburg --dry-run")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  `edge01` is activated by an installation that is not in this cluster (last seen TIME); a second one is refused with `ALREADY_ACTIVATED`.
  Deactivate it if the old installation is gone.
  `az acr connected-registry deactivate --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID`\
""")


async def test_a_cluster_that_azure_does_not_hear_of_stands_in_the_way(registry: Conversation) -> None:
    await registry.post("/sandbox/azure/clusters/berlin-arc", connectivityStatus="Offline")
    await registry.say("deploy edge01 --site berlin")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The cluster `berlin-arc` is `Offline`: Azure has had no heartbeat for more than 15 minutes (last heartbeat TIME).
  Check the agents and the cluster's connection to Azure.
  `kubectl get pods --namespace azure-arc`\
""")


async def test_a_cluster_that_does_not_answer_stands_in_the_way(registry: Conversation) -> None:
    await registry.post("/sandbox/kube/berlin", offline=True)
    await registry.say("deploy edge01 --site berlin")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The cluster could not be reached (`NoConnection`: `Server disconnected`).
  Not checked: Kubernetes API answers, Bot has the rights that a deployment uses, Namespace is not terminating and 4 more.
  This may be temporary; check again.\
""")


async def test_a_namespace_that_is_being_deleted_stands_in_the_way(registry: Conversation) -> None:
    await registry.namespace_terminating()
    await registry.say("deploy edge01 --site berlin")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The namespace `connected-registry` is still being deleted; nothing can be installed until it is gone. What the cluster waits for: `Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances`
  Wait, have whoever set a finalizer finish, or bring back the API service that it names; `kubectl get apiservices` shows those that are not available.
  `kubectl get namespace connected-registry --output yaml`\
""")


async def test_missing_rights_in_the_cluster_are_named(tmp_path: Path) -> None:
    reader = {"name": "berlin-arc", "kubernetes": {"context": "berlin-reader"}}
    async with conversation(tmp_path, berlin=site("berlin", cluster=reader)) as talk:
        await talk.say("deploy edge01 --site berlin")

        assert await talk.blockers() == snapshot("""\
  :no_entry:  The bot lacks rights in the cluster: `create services in default` and `delete services in default`.
  Apply the bot's manifests as a cluster administrator.
  `kubectl apply --filename deploy/rbac/read-only.yaml --filename deploy/rbac/deploying.yaml`\
""")


async def test_missing_rights_in_azure_are_the_bots_own_fault(registry: Conversation) -> None:
    await registry.fault(
        "azure",
        "GET .*/registries/contosoacr$",
        status=403,
        code="AuthorizationFailed",
        message="The client does not have authorization to perform action 'Microsoft.ContainerRegistry/registries/read'.",
        times=None,
    )
    await registry.say("deploy edge01 --site berlin")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  Azure does not let the bot look: its own identity lacks `Microsoft.ContainerRegistry/registries/read`.
  Not checked: Registry exists and Repositories hold images.
  Whoever runs the bot has to grant its identity that right.\
""")


async def test_a_mode_cannot_be_changed(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("deploy edge01 --site berlin --mode ReadWrite")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  `edge01` exists with the mode `ReadOnly`, not `ReadWrite`; a mode can't be changed.
  Use its mode, or choose another name.\
""")


async def test_a_second_extension_does_not_fit_in_a_cluster(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("deploy edge02 --site berlin")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The cluster's connected registry extension, `edge01` (Service address `10.96.0.2`), serves `edge01`; only one fits in a cluster.
  Use another cluster: without that extension `edge01` is gone from this one.
  `az k8s-extension show --name edge01 --cluster-name berlin-arc --cluster-type connectedClusters --resource-group edge-rg --subscription ID`\
""")


async def test_an_extension_of_another_name_is_known_by_its_address_and_kept(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --extension-name cr-ext")
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"
    assert "Keep: Extension cr-ext" in await registry.details()


@pytest.mark.parametrize("wanted", ["check berlin", "check berlin --name edge01"])
async def test_a_check_changes_nothing(registry: Conversation, wanted: str) -> None:
    before = await registry.azure()
    await registry.say(wanted)

    assert _resources(await registry.azure()) == _resources(before)


def _resources(state: dict[str, object]) -> dict[str, object]:
    """What a deployment changes; a cluster's own heartbeats go on meanwhile."""
    return {key: value for key, value in state.items() if key in {"registries", "providers"}}
