"""What becomes of a plan when the world changes before it runs, and who comes first."""

from inline_snapshot import snapshot

from services.operations.deploy.outputs import address_of
from tests.flows.conversation import Conversation


async def test_what_was_approved_is_asked_again_when_the_world_has_changed(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.say("deploy edge02 --site berlin")
    await registry.click("Approve", as_="bob", card="hamburg")
    changed = await registry.card_of("hamburg")
    await registry.click("Approve", as_="bob", card="hamburg")

    assert changed == snapshot("""\
Registry: :raised_hand:  *Deploy edge01 to hamburg*  ·  waiting for approval
  requested by @alice TIME  ·  production  ·  `op-1`
  :warning: *Something has changed since this was approved*, so nothing was written.
  • registry, data endpoint: ~no~ → yes
  :warning:  Not registered yet: `Microsoft.Kubernetes`, `Microsoft.KubernetesConfiguration` and `Microsoft.ExtendedLocation`.
  The deployment registers them; it takes up to ten minutes.
  Plan: 10 steps
  [ ] Hold: Service IP 10.112.0.2
      or the next free one, if somebody takes it first
  [ ] Change: Registration of resource providers
      Microsoft.Kubernetes, Microsoft.KubernetesConfiguration, Microsoft.ExtendedLocation
  [ ] Create: Image hello-world:latest
      from mcr.microsoft.com/hello-world:latest; an existing tag is kept
  [ ] Create: Scope map edge01
      repositories hello-world
  [ ] Create: Sync token edge01
  [ ] Create: Connected registry edge01
      ReadOnly, schedule * * * * *
  [ ] Create: Extension edge01
      pvc.storageRequest=250Gi, cert-manager.install=false
  [ ] Verify: Deployment, Service and volume in the cluster
  [ ] Verify: edge01 comes online
  [ ] Verify: First sync of edge01
  Rule *production needs a second person*  ·  plan `DIGEST`
  :raised_hand:  *Deploy edge01 to hamburg?* Needs one approval from edge-approvers. Expires TIME.
  [Approve] [Reject…] [Cancel] [Show details]\
""")
    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
alice  /registry deploy edge02 --site berlin
bot    Deploy edge02 to berlin: online
bob    [Approve]
bob    [Approve]
bot    Deploy edge01 to hamburg: online, approved by bob\
""")


async def test_a_picked_address_that_somebody_took_is_replaced_by_the_next_free_one(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.take_address("10.112.0.2", "hamburg")
    await registry.click("Approve", as_="bob")

    assert address_of(await registry.operation()) == "10.112.0.3"
    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    Deploy edge01 to hamburg: online, approved by bob\
""")


async def test_a_given_address_that_somebody_took_blocks_the_run(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg --service-ip 10.112.0.9")
    await registry.take_address("10.112.0.9", "hamburg")
    await registry.click("Approve", as_="bob")

    assert await registry.card_of("hamburg") == snapshot("""\
Registry: :no_entry:  *Deploy edge01 to hamburg*  ·  blocked
  requested by @alice TIME  ·  production  ·  `op-1`
  :warning: *Something has changed since this was approved*, so nothing was written.
  :no_entry:  The Service address `10.112.0.9` is in use.
  Leave `--service-ip` out, or give a free one such as `10.112.0.2`.
  `kubectl get services --all-namespaces | grep --word-regexp 10.112.0.9`
  :warning:  Not registered yet: `Microsoft.Kubernetes`, `Microsoft.KubernetesConfiguration` and `Microsoft.ExtendedLocation`.
  The deployment registers them; it takes up to ten minutes.
  :warning:  The dedicated data endpoint is off; the deployment enables it. From then on clients fetch from hosts of its own, which firewalls must let through.
  If firewall rules have to be prepared, enable it beforehand: `check` then shows the hosts.
  [Show details]\
""")
    assert await registry.leases("hamburg") == frozenset()


async def test_a_given_address_that_is_taken_at_the_last_moment_fails_with_its_cause(registry: Conversation) -> None:
    await registry.fault(
        "kube",
        "POST /berlin/api/v1/namespaces/default/services",
        status=422,
        code="Invalid",
        message='Service "registry-bot" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.9"]: '
        "failed to allocate IP 10.96.0.9: provided IP is already allocated",
    )
    await registry.say("deploy edge01 --site berlin --service-ip 10.96.0.9")

    assert await registry.card_of("berlin") == snapshot("""\
Registry: :x:  *Deploy edge01 to berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-1`
  0 of 11 steps done, stopped at *Hold: Service IP 10.96.0.9*
  The Service address `10.96.0.9` is in use by another Service. Its message: `Service "registry-bot" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.9"]: failed to allocate IP 10.96.0.9: provided IP is already allocated`
  Retry: a picked address is replaced by the next free one. If you chose it with `--service-ip`, choose another one or none.
  `kubectl get services --all-namespaces | grep --word-regexp 10.96.0.9`
  Nothing was left behind.
  [Retry] [Show details]\
""")


async def test_a_second_operation_at_a_site_waits_and_says_for_whom(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/edge01")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("scope_map.put")
    await registry.say("deploy edge02 --site berlin", as_="carol", quiet=False)
    await registry.reached("queued", "edge02")
    await registry.let_go()
    await registry.quiet()

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
carol  /registry deploy edge02 --site berlin
bot    Deploy edge01 to berlin: running   [Cancel]
bot    Deploy edge02 to berlin: queued, waiting for Deploy edge01 to berlin (op-1)   [Cancel]
bot    Deploy edge01 to berlin: online
bot    Deploy edge02 to berlin: blocked\
""")
    assert await registry.card_of("berlin") == snapshot("""\
Registry: :no_entry:  *Deploy edge02 to berlin*  ·  blocked
  requested by @carol TIME  ·  development  ·  `op-2`
  :warning: *Something has changed since this was planned*, so nothing was written.
  • cert manager: ~no~ → yes
  • extension, edge01: ~none~ → Succeeded
  • namespace: ~none~ → Active
  :no_entry:  The cluster's connected registry extension, `edge01` (Service address `10.96.0.2`), serves `edge01`; only one fits in a cluster.
  Use another cluster: without that extension `edge01` is gone from this one.
  `az k8s-extension show --name edge01 --cluster-name berlin-arc --cluster-type connectedClusters --resource-group edge-rg --subscription ID`
  [Show details]\
""")


async def test_operations_at_different_sites_do_not_wait_for_each_other(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/edge01")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("scope_map.put")
    await registry.say("deploy edge02 --site hamburg", quiet=False)
    await registry.reached("waiting", "edge02")
    await registry.click("Approve", as_="bob", quiet=False)
    await registry.reached("succeeded", "edge02")

    assert (await registry.operation("edge01")).state == "running"


async def test_waiting_plans_at_one_site_never_speak_for_the_same_address(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.say("deploy edge02 --site hamburg")
    await registry.say("deploy edge03 --site hamburg")

    assert await registry.leases("hamburg") == {"10.112.0.2", "10.112.0.3", "10.112.0.4"}
