"""Sites whose API server the bot can't reach: Azure alone is asked, and what nobody has looked at is said."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from sandbox.kube.kubeconfig import DEFAULT_USER
from tests.flows.conversation import Conversation, conversation, site

FACTS = {"service_range": "10.112.0.0/24", "addresses": ["10.112.0.12", "10.112.0.13"], "cert_manager": True}
HAMBURG = site("hamburg", access="none", cluster={"name": "hamburg-arc", "facts": FACTS})


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Conversation]:
    """The bot at a site in production whose cluster it can't reach, and at one whose cluster it can."""
    async with conversation(tmp_path, hamburg=HAMBURG, berlin=site("berlin")) as talk:
        yield talk


async def asked_of_the_cluster(registry: Conversation, cluster: str = "hamburg") -> list[str]:
    """Requests of the bot's account at an API server, which the edge's own agents use too."""
    requests = (await registry.get("/sandbox/kube/requests"))[cluster]
    return [f"{request['method']} {request['path']}" for request in requests if request["user"] == DEFAULT_USER]


async def deploy(registry: Conversation) -> None:
    """As alice, approved by bob."""
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="bob")


async def test_a_deployment_asks_azure_alone_and_says_before_what_nobody_proves(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    request = await registry.answer()
    await registry.click("Approve", as_="bob")

    assert request == snapshot("""\
Registry: :raised_hand:  *Deploy edge01 to hamburg*  ·  waiting for approval
  requested by @alice TIME  ·  production  ·  `op-1`
  :grey_question:  The bot has no access to the cluster of `hamburg` (`access: none` in the site file), so it asks Azure alone.
  Not looked at: the namespace connected-registry, whether a linux/amd64 node is ready, the storage class, whether the Service address is free, cert-manager and Pods, Service, volume and certificate after the installation.
  Somebody with access to the cluster can look at it.
  :warning:  Not registered yet: `Microsoft.Kubernetes`, `Microsoft.KubernetesConfiguration` and `Microsoft.ExtendedLocation`.
  The deployment registers them; it takes up to ten minutes.
  :warning:  The dedicated data endpoint is off; the deployment enables it. From then on clients fetch from hosts of its own, which firewalls must let through.
  If firewall rules have to be prepared, enable it beforehand: `check` then shows the hosts.
  Plan: 10 steps
  [ ] Reserve: Service IP 10.112.0.12
      from the site file; nobody has looked whether it is free
  [ ] Change: Registration of resource providers
      Microsoft.Kubernetes, Microsoft.KubernetesConfiguration, Microsoft.ExtendedLocation
  [ ] Change: Data endpoint of contosoacr
      enabled; firewalls at the edge must let it through
  [ ] Create: Image hello-world:latest
      from mcr.microsoft.com/hello-world:latest; an existing tag is kept
  [ ] Create: Scope map edge01
      repositories hello-world
  [ ] Create: Sync token edge01
  [ ] Create: Connected registry edge01
      ReadOnly, schedule * * * * *
  [ ] Create: Extension edge01
      pvc.storageRequest=250Gi, cert-manager.install=false
  [ ] Verify: edge01 comes online
  [ ] Verify: First sync of edge01
  Rule *production needs a second person*  ·  plan `DIGEST`
  :raised_hand:  *Deploy edge01 to hamburg?* Needs one approval from edge-approvers. Expires TIME.
  [Approve] [Reject…] [Cancel] [Show details]\
""")
    assert await registry.answer() == snapshot("""\
Registry: :white_check_mark:  *Deploy edge01 to hamburg*  ·  online, approved by bob
  requested by @alice TIME  ·  production  ·  `op-1`
  10 of 10 steps done
  *Connected registry* edge01 is Online
  *Extension* Succeeded
  *Service IP* `10.112.0.12`
  *Last sync* TIME
  *Repositories* `hello-world`
  *Not looked at in the cluster* the namespace connected-registry, whether a linux/amd64 node is ready, the storage class, whether the Service address is free, cert-manager and Pods, Service, volume and certificate after the installation
  *Took* N s
  [Show details]\
""")
    assert "10.112.0.12" in (await registry.services("hamburg")).values()
    assert await asked_of_the_cluster(registry) == []


async def test_an_address_in_use_is_the_installations_to_tell_and_retry_takes_the_next_one(
    registry: Conversation,
) -> None:
    await registry.take_address("10.112.0.12", "hamburg")
    await deploy(registry)
    failed = await registry.card_of("hamburg")
    await registry.click("Retry", as_="alice")

    assert failed == snapshot("""\
Registry: :x:  *Deploy edge01 to hamburg*  ·  failed, approved by bob
  requested by @alice TIME  ·  production  ·  `op-1`
  7 of 10 steps done, stopped at *Create: Extension edge01*
  The Service address `10.112.0.12` is in use by another Service of the cluster.
  If the site file lists it in `cluster.facts.addresses`, put a free one in its place. If you chose it with `--service-ip`, deploy again with another one or none. A retry takes the next address of the list, but keeps one that you chose.
  Left behind: Registration of resource providers, Data endpoint of contosoacr, Image hello-world:latest, Scope map edge01, Sync token edge01, Connected registry edge01 and Extension edge01.
  [Retry] [Show details]\
""")
    assert await registry.card_of("hamburg") == snapshot("""\
Registry: :white_check_mark:  *Deploy edge01 to hamburg*  ·  online, approved by bob, retried by alice
  requested by @alice TIME  ·  production  ·  `op-1`
  10 of 10 steps done
  *Connected registry* edge01 is Online
  *Extension* Succeeded
  *Service IP* `10.112.0.13`
  *Last sync* TIME
  *Repositories* `hello-world`
  *Not looked at in the cluster* the namespace connected-registry, whether a linux/amd64 node is ready, the storage class, whether the Service address is free, cert-manager and Pods, Service, volume and certificate after the installation
  *Took* N s
  [Show details]\
""")
    assert await asked_of_the_cluster(registry) == []


async def test_what_a_removal_could_not_look_at_is_never_called_gone(registry: Conversation) -> None:
    await deploy(registry)
    await registry.say("update edge01 --site hamburg --log-level Debug")
    await registry.click("Approve", as_="bob", card="Update")
    await registry.say("deactivate edge01 --site hamburg")
    await registry.click("Approve", as_="bob", card="Deactivate")
    await registry.say("remove edge01 --site hamburg")
    await registry.fill(confirm="edge01")
    request = await registry.answer()
    await registry.click("Approve", as_="bob", card="Remove")

    assert request == snapshot("""\
Registry: :raised_hand:  *Remove edge01 from hamburg*  ·  waiting for approval
  requested by @alice TIME  ·  production  ·  `op-1`
  :grey_question:  The bot has no access to the cluster of `hamburg` (`access: none` in the site file), so it asks Azure alone.
  Not looked at: the extension's namespace and volume, workloads that this bot made earlier, their pull secrets and other workloads that pull from it.
  Somebody with access to the cluster can look at it.
  Plan: 4 steps
  [ ] Delete: Extension edge01
      the Arc agents uninstall it, with its namespace and its volume
  [ ] Delete: Connected registry edge01
  [ ] Delete: Sync token edge01
  [ ] Delete: Scope map edge01
  Rule *production needs a second person*  ·  plan `DIGEST`
  :raised_hand:  *Remove edge01 from hamburg?* Needs one approval from edge-approvers. Expires TIME.
  [Approve] [Reject…] [Cancel] [Show details]\
""")
    assert await registry.answer() == snapshot("""\
Registry: :white_check_mark:  *Remove edge01 from hamburg*  ·  removed, approved by bob
  requested by @alice TIME  ·  production  ·  `op-1`
  4 of 4 steps done
  *Extension* edge01 deleted
  *Connected registry* edge01 deleted
  *Tokens* edge01 deleted
  *Scope maps* edge01 deleted
  *Not looked at in the cluster* the extension's namespace and volume, workloads that this bot made earlier, their pull secrets and other workloads that pull from it
  *Took* N s
  [Show details]\
""")
    assert await asked_of_the_cluster(registry) == []


async def test_the_extension_is_shown_as_azure_knows_it(registry: Conversation) -> None:
    await deploy(registry)
    await registry.say("extension show edge01 --site hamburg")

    assert "the cluster was not asked" in await registry.answer()
    assert await asked_of_the_cluster(registry) == []


async def test_a_workload_is_refused_with_what_would_allow_it(registry: Conversation) -> None:
    await deploy(registry)
    registry.said.clear()
    await registry.say("workload deploy edge01 --site hamburg --image hello-world:latest")
    await registry.say("workload show edge01 --site hamburg")
    await registry.say("workload delete hello-world --site hamburg")

    assert await registry.transcript() == snapshot("""\
alice  /registry workload deploy edge01 --site hamburg --image hello-world:latest
bot    (only alice) The bot has no access to the cluster of `hamburg` (`access: none` in the site file), so it can't look or do anything there. To allow it, let the bot reach the cluster's API server, by itself or through an Arc proxy beside it (`access: arc`), and give the site a kubeconfig in place of `access: none`.
alice  /registry workload show edge01 --site hamburg
bot    (only alice) The bot has no access to the cluster of `hamburg` (`access: none` in the site file), so it can't look or do anything there. To allow it, let the bot reach the cluster's API server, by itself or through an Arc proxy beside it (`access: arc`), and give the site a kubeconfig in place of `access: none`.
alice  /registry workload delete hello-world --site hamburg
bot    (only alice) The bot has no access to the cluster of `hamburg` (`access: none` in the site file), so it can't look or do anything there. To allow it, let the bot reach the cluster's API server, by itself or through an Arc proxy beside it (`access: arc`), and give the site a kubeconfig in place of `access: none`.\
""")
    assert await asked_of_the_cluster(registry) == []


async def test_whatever_else_is_asked_gets_an_answer_from_azure(registry: Conversation) -> None:
    await registry.say("check hamburg")
    checked = await registry.answer()
    await registry.say("site show hamburg")
    shown = await registry.answer()
    await registry.say("ping")

    assert checked == snapshot("""\
Registry (only you): *hamburg*: ready, with 2 warnings, as far as Azure shows
  :grey_question:  The bot has no access to the cluster of `hamburg` (`access: none` in the site file), so it asks Azure alone.
  Not looked at: the namespace connected-registry, whether a linux/amd64 node is ready, the storage class, whether the Service address is free, cert-manager and Pods, Service, volume and certificate after the installation.
  Somebody with access to the cluster can look at it.
  :warning:  Not registered yet: `Microsoft.Kubernetes`, `Microsoft.KubernetesConfiguration` and `Microsoft.ExtendedLocation`.
  The deployment registers them; it takes up to ten minutes.
  `for provider in Microsoft.Kubernetes Microsoft.KubernetesConfiguration Microsoft.ExtendedLocation; do az provider register --subscription ID --namespace "$provider"; done; az provider register --subscription ID --namespace Microsoft.ContainerRegistry`
  :warning:  The dedicated data endpoint is off; the deployment enables it. From then on clients fetch from hosts of its own, which firewalls must let through.
  If firewall rules have to be prepared, enable it beforehand: `check` then shows the hosts.
  `az acr update --name contosoacr --resource-group edge-rg --subscription ID --data-endpoint-enabled true`
  :white_check_mark:  The registry `contosoacr` exists in `westeurope`.
  :white_check_mark:  The registry is Premium.
  :white_check_mark:  The registry is not being changed.
  :white_check_mark:  Each repository holds an image, or gets the one that the site imports.
  :white_check_mark:  The cluster `hamburg-arc` is connected to Azure Arc (last heartbeat TIME).
  :white_check_mark:  The registry has 0 of at most 50 connected registries.
  :white_check_mark:  The cluster has no connected registry extension yet.
  :white_check_mark:  The site file says that cert-manager is installed, so the extension does not install it.
  :white_check_mark:  The Service address `10.112.0.12` is the next one of the site file's list.
  production  ·  contosoacr → hamburg-arc\
""")
    assert "*Access to the cluster* none: Azure alone is asked" in shown
    assert "`cluster.facts.addresses` 10.112.0.12, 10.112.0.13" in shown
    assert "*Cluster of hamburg*: not asked, the site file says `access: none`" in await registry.answer()
    assert await asked_of_the_cluster(registry) == []
    assert "GET /version" in await asked_of_the_cluster(registry, "berlin")
