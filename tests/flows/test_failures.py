"""Failures at the edge: each with its cause in plain words, what was left behind, and a retry that goes on from there."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sandbox import world as worlds
from services.operations.deploy.outputs import RuntimeVerified
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from tests.flows.conversation import POLICY, Conversation, conversation

CAUSES = {
    "service-ip-taken": "The Service address `10.96.0.2` is in use by another Service.",
    "cert-manager-present": "cert-manager is installed in this cluster already, and the extension tried to install it again.",
    "name-in-use": "The cluster has a Helm release with the extension's name already.",
    "namespace-terminating": "The namespace `connected-registry` is still being deleted.",
    "chart-not-found": "Azure has no chart of the extension for this version and release train.",
    "crd-status-not-populated": "The Arc agents in the cluster did not report the state of the installation.",
    "crd-write-race": "Something else changed the extension in the cluster at the same moment.",
    "silent-failure": "The extension ended as `Failed`, and Azure gives no reason.",
    "webhook-untrusted": 'The API server can\'t call the admission webhook `webhook.cert-manager.io`, without which it takes no such objects: `release edge01 failed: failed to create resource: Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook: Post "https://cert-manager-webhook.cert-manager.svc:443/validate?[removed]": tls: failed to verify certificate: x509: certificate signed by unknown …`',
    "quota-exceeded": 'A quota or a limit range of the cluster refuses the installation: `release edge01 failed: failed to create resource: persistentvolumeclaims "connected-registry-pvc" is forbidden: exceeded quota: claims, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=2, limited: persistentvolumeclaims=2. Helm installation failed : Unable to create/update …`',
    "storage-class-missing": "The volume claim of the connected registry stays Pending (storage class `missing-storage-class`): `FailedScheduling: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.`",
    "bad-password": "The registry refuses the sync token's password: it was regenerated elsewhere, has expired, or is not the one in the connection string.",
    "token-disabled": "The registry refuses the sync token's password: it was regenerated elsewhere, has expired, or is not the one in the connection string.",
    "already-activated": "Another installation of `edge01` is activated, so this one is refused (`ALREADY_ACTIVATED`).",
    "firewall": "The connected registry can't reach the registry in the cloud: `TIME [ERR] The parent registry can't be reached: dial tcp: lookup contosoacr.westeurope.data.azurecr.io: i/o timeout. Trying again.`",
    "proxy": 'A proxy between the cluster and Azure refuses the way: `TIME [ERR] The parent registry can\'t be reached: Get "https://contosoacr.westeurope.data.azurecr.io/": Proxy Authentication Required. Trying again.`',
    "out-of-memory": "The connected registry's container was ended because it ran out of memory (`OOMKilled`, N restarts).",
    "crash-without-log": "The connected registry's Pod keeps crashing (N restarts) and logs nothing. Its container ends with exit code 139.",
    "disk-full": "The connected registry can't write to its disk: `There is not enough space on the disk of the connected registry.`",
}


@pytest.mark.parametrize("scenario", CAUSES)
async def test_the_channel_hears_once_why_it_failed(registry: Conversation, scenario: str) -> None:
    await registry.edge(scenario=scenario)
    await registry.say("deploy edge01 --site berlin")

    told = [line for line in (await registry.transcript()).splitlines() if "failed: " in line]
    assert told == [f"bot    :x:  Deploy edge01 to berlin: failed: {CAUSES[scenario]} <@U0ALICE>"]


async def test_an_edge_behind_a_firewall_is_told_the_hosts_as_azure_names_them(tmp_path: Path) -> None:
    world = worlds.load()
    world["azure"]["registries"][0]["domain_name_label_scope"] = "TenantReuse"
    async with conversation(tmp_path, world=world) as talk:
        await talk.edge(scenario="firewall")
        await talk.say("deploy edge01 --site berlin")

        remedy = next(line for line in (await talk.card_of("berlin")).splitlines() if "on port 443" in line)
        assert re.search(r"data endpoint, `HOST` and `contosoacr-\w+\.westeurope\.data\.azurecr\.io`, on port", remedy)


async def test_the_card_of_a_failure_tells_cause_remedy_and_what_is_left(registry: Conversation) -> None:
    await registry.edge(scenario="service-ip-taken")
    await registry.say("deploy edge01 --site berlin")

    assert await registry.card_of("berlin") == snapshot("""\
Registry: :x:  *Deploy edge01 to berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-1`
  7 of 11 steps done, stopped at *Create: Extension edge01*
  The Service address `10.96.0.2` is in use by another Service.
  Retry: a picked address is replaced by the next free one. If you chose it with `--service-ip`, choose another one or none.
  `kubectl get services --all-namespaces | grep --word-regexp 10.96.0.2`
  [Extension reinstall…]
  Left behind: Registration of resource providers, Data endpoint of contosoacr, Image hello-world:latest, Scope map edge01, Sync token edge01, Connected registry edge01 and Extension edge01.
  [Retry] [Show details]\
""")
    assert await registry.placeholders() == []
    assert await registry.leases() == frozenset()


@pytest.mark.parametrize("scenario", ["service-ip-taken", "silent-failure", "name-in-use", "bad-password"])
async def test_a_retry_goes_on_from_the_step_that_failed(registry: Conversation, scenario: str) -> None:
    await registry.edge(scenario=scenario)
    await registry.say("deploy edge01 --site berlin")
    before = len(await registry.requests("^(PUT|PATCH|POST) "))
    await registry.mended()
    await registry.click("Retry", as_="carol")
    again = (await registry.requests("^(PUT|PATCH|POST) "))[before:]

    assert (await registry.operation()).state == "succeeded"
    assert [line.rpartition("/")[2] for line in again] == ["generateCredentials", "edge01"]


@pytest.mark.parametrize("scenario", ["already-activated", "firewall"])
async def test_a_retry_after_the_edge_was_mended_changes_nothing_in_azure(
    registry: Conversation, scenario: str
) -> None:
    await registry.edge(scenario=scenario)
    await registry.say("deploy edge01 --site berlin")
    before = len(await registry.requests("^(PUT|PATCH|POST) "))
    await registry.mended()
    await registry.azure_deactivates()
    await registry.click("Retry", as_="alice")

    assert (await registry.operation()).state == "succeeded"
    assert (await registry.requests("^(PUT|PATCH|POST) "))[before:] == []


async def test_a_button_on_the_card_mends_the_cause_and_the_retry_goes_on(registry: Conversation) -> None:
    await registry.edge(scenario="already-activated")
    await registry.say("deploy edge01 --site berlin")
    await registry.mended()
    await registry.click("Deactivate", as_="alice")
    await registry.click("Retry", as_="alice", card="Deploy")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
bot    Deploy edge01 to berlin: failed   [Deactivate] [Retry]
bot    :x:  Deploy edge01 to berlin: failed: Another installation of `edge01` is activated, so this one is refused (`ALREADY_ACTIVATED`). <@U0ALICE>
alice  [Deactivate]
bot    Deactivate edge01 at berlin: inactive
alice  [Retry]
bot    Deploy edge01 to berlin: online, retried by alice
bot    :white_check_mark:  Deploy edge01 to berlin: online in N s, retried by alice. <@U0ALICE>\
""")


async def test_a_retry_holds_the_address_again(registry: Conversation) -> None:
    await registry.fault("azure", "PUT .*/scopeMaps/", status=400, code="BadRequest", message="No.")
    await registry.say("deploy edge01 --site berlin")
    await registry.hold("PUT .*/scopeMaps/")
    await registry.click("Retry", as_="alice", quiet=False)
    await registry.running("scope_map.put")
    held = await registry.placeholders()
    await registry.let_go()
    await registry.quiet()

    assert held == ["10.96.0.2"]
    assert (await registry.operation()).output(RuntimeVerified) == RuntimeVerified("10.96.0.2", "Bound")


async def test_a_retry_takes_the_next_address_when_its_own_was_taken_meanwhile(registry: Conversation) -> None:
    await registry.fault("azure", "PUT .*/scopeMaps/", status=400, code="BadRequest", message="No.")
    await registry.say("deploy edge01 --site berlin")
    await registry.take_address("10.96.0.2")
    await registry.click("Retry", as_="alice")

    assert (await registry.operation()).output(RuntimeVerified) == RuntimeVerified("10.96.0.3", "Bound")


async def test_what_azure_refuses_is_told_in_its_words_with_its_correlation_id(registry: Conversation) -> None:
    await registry.fault(
        "azure", "PUT .*/scopeMaps/", status=400, code="InvalidScopeMap", message="The scope map is not valid."
    )
    await registry.say("deploy edge01 --site berlin")

    assert await registry.card_of("berlin") == snapshot("""\
Registry: :x:  *Deploy edge01 to berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-1`
  4 of 11 steps done, stopped at *Create: Scope map edge01*
  Azure refused this for `scopeMaps/edge01`: `InvalidScopeMap` `The scope map is not valid.`
  Fix what it names, then retry.
  Left behind: Registration of resource providers, Data endpoint of contosoacr and Image hello-world:latest.
  [Retry] [Show details]\
""")


async def test_a_retry_needs_the_right_to_it(registry: Conversation) -> None:
    await registry.edge(scenario="silent-failure")
    await registry.say("deploy edge01 --site berlin")
    await registry.click("Retry", as_="dave")

    assert (await registry.operation()).state == "failed"


async def test_a_retry_under_other_rules_is_approved_by_those_whom_they_name(registry: Conversation) -> None:
    await registry.edge(cluster="hamburg", scenario="silent-failure")
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="bob")
    other_rules = POLICY | {
        "grants": [*POLICY["grants"], {"name": "carol", "roles": ["approver"], "to": ["carol"]}],
        "approvals": [POLICY["approvals"][0] | {"name": "carol decides", "approvers": ["carol"]}],
    }
    in_force = FixedConfiguration(registry.blueprint.configuration.sites, Policy.model_validate(other_rules))
    registry.blueprint = replace(registry.blueprint, configuration=in_force)
    await registry.restart()
    await registry.mended()

    await registry.click("Retry", as_="alice")
    await registry.click("Approve", as_="bob")
    await registry.click("Approve", as_="carol")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    Deploy edge01 to hamburg: failed, approved by bob   [Extension reinstall] [Retry]
bot    :x:  Deploy edge01 to hamburg: failed, approved by bob: The extension ended as `Failed`, and Azure gives no reason. <@U0ALICE>
       (the bot is started again)
alice  [Retry]
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    (only bob) The rule *carol decides* leaves this decision to `carol`.
carol  [Approve]
bot    Deploy edge01 to hamburg: online, approved by carol, retried by alice
bot    :white_check_mark:  Deploy edge01 to hamburg: online in N s, approved by carol, retried by alice. <@U0ALICE>\
""")


async def test_a_failed_operation_is_retried_once_by_two_clicks(registry: Conversation) -> None:
    await registry.edge(scenario="silent-failure")
    await registry.say("deploy edge01 --site berlin")
    await registry.mended()
    await registry.click("Retry", as_="alice", quiet=False)
    await registry.say(f"operation retry {(await registry.operation()).id}", as_="carol")

    assert (await registry.operation()).attempt == 2
