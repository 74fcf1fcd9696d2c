"""The extension of a connected registry in both planes: a verdict, and the evidence beneath."""

import re
from typing import Any

import pytest
from inline_snapshot import snapshot
from kubernetes.aio import client

from sandbox.azure.cloud import ConnectedRegistry, Origin
from tests.flows.azure_roles import grant
from tests.flows.conversation import Conversation

NAMESPACE = "connected-registry"


def cloud(registry: Conversation) -> Any:
    """The cloud registry inside the sandbox, for what people do to it without the bot."""
    assert registry.box.azure
    return next(one for one in registry.box.azure.cloud.registries.values() if one.name == "contosoacr")


async def certificate(registry: Conversation) -> None:
    """Let cert-manager have made the certificate that the runtime serves with."""
    async with registry.kubectl() as core:
        await client.CustomObjectsApi(core.api_client).create_namespaced_custom_object(
            "cert-manager.io",
            "v1",
            NAMESPACE,
            "certificates",
            {
                "apiVersion": "cert-manager.io/v1",
                "kind": "Certificate",
                "metadata": {"name": "connected-registry-tls"},
                "status": {
                    "notAfter": "2027-02-01T08:00:00Z",
                    "conditions": [{"type": "Ready", "status": "True", "reason": "Ready"}],
                },
            },
        )


async def answer(registry: Conversation, line: str, person: str = "dave") -> str:
    """What somebody reads, without the random part of a Pod's name."""
    await registry.say(line, as_=person)
    return re.sub(r"connected-registry-[a-z0-9]+-[a-z0-9]{5}", "POD", await registry.answer(person))


async def until_offline(registry: Conversation) -> None:
    """Let the edge's contacts fail until Azure notices."""

    async def is_offline() -> bool:
        await registry.post("/sandbox/clock", turn=60)
        state = (await registry.azure())["registries"]
        return "Offline" in str(state)

    await registry.until(is_offline)


# Which question fails first depends on whether this very process has compared the cluster within the last minute.
@pytest.mark.only_on("sqlite", "postgresql")
async def test_an_extension_is_shown_in_both_planes_with_one_verdict(registry: Conversation) -> None:
    nowhere = await answer(registry, "extension show edge01")
    await registry.say("deploy edge01 --site berlin")
    await certificate(registry)
    works = await answer(registry, "extension show edge01")
    grant(registry, "reader", but={"Microsoft.Kubernetes/connectedClusters/read"})
    await registry.fault("kube", ".", status=503, times=None)
    unasked = await answer(registry, "extension show edge01 --site berlin")
    await registry.mended()
    grant(registry, "reader")
    cloud(registry).tokens["edge01"].status = "disabled"
    await until_offline(registry)
    broken = await answer(registry, "extension show edge01")
    origin = Origin.now("somebody", registry.box.clock.now())
    cloud(registry).connected["edge09"] = ConnectedRegistry("edge09", "ReadOnly", "edge01", origin)

    assert nowhere == snapshot("Registry (only you): There is no connected registry `edge01`.")
    assert works == snapshot("""\
Registry (only you): :white_check_mark:  *edge01* at *berlin* works: installed, running and Online.
  *In Azure*
  *Extension* `edge01` Succeeded
  *Version* 0.11.0, release train Stable
  *Upgrades* new minor versions by themselves
  *Last changed* TIME
  *Connected registry* Online, Active, last sync TIME
  *Sync token* `edge01` enabled
  *Cluster* Connected, last heartbeat TIME
  *In the cluster* `berlin-arc`
  *Namespace* `connected-registry`
  *Deployment* available, 1 of 1 Pod ready
  *Service IP* `10.96.0.2`
  *Volume claim* Bound, standard, 250Gi
  *Certificates* `connected-registry-tls` ready, valid until TIME
  Pods: `POD` Running on berlin-1
  Earlier:  FailedScheduling: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.
  [Check]\
""")
    assert unasked == snapshot("""\
Registry (only you): :grey_question:  *edge01* at *berlin* is Online and its extension Succeeded, as Azure shows them; the cluster could not be asked.
  *In Azure*
  *Extension* `edge01` Succeeded
  *Version* 0.11.0, release train Stable
  *Upgrades* new minor versions by themselves
  *Last changed* TIME
  *Connected registry* Online, Active, last sync TIME
  *Sync token* `edge01` enabled
  *Cluster* could not be asked
  *In the cluster* `berlin-arc`
  :grey_question:  The cluster could not be reached, so the state of `berlin: get namespaces` is unknown. Try again soon. Its answer: _503: The server encountered an internal error._
  :grey_question:  The cluster could not be reached, so the state of `berlin: list certificates.cert-manager.io in connected-registry` is unknown. Try again soon. Its answer: _503: The server encountered an internal error._
  :grey_question:  Azure does not let the bot do this: the bot's own identity lacks `Microsoft.Kubernetes/connectedClusters/read` at `/subscriptions/ID/resourceGroups/edge-rg/providers/Microsoft.Kubernetes/connectedClusters/berlin-arc`. Grant it that right; a role that was granted or activated a moment ago takes up to ten minutes to act. Only those who run the bot can do that. Its answer: _AuthorizationFailed: The client 'ID' with object id 'ID' does not have authorization to perform action 'Microsoft.Kubernetes/connectedClusters/read' over scope '/subscriptions/ID/resourceGroups/edge-rg/providers/Microsoft.Kubernetes/connectedClusters/berlin-arc' or the scope is invalid. If access was recently granted, please refresh your credentials._ Correlation id for support: `ID`.
  [Check]\
""")
    assert broken == snapshot("""\
Registry (only you): :no_entry:  *edge01* at *berlin* does not work. The sync token `edge01` is disabled.
  Enable it, unless it was disabled to cut the connected registry off.
  az acr token update --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --status enabled
  *In Azure*
  *Extension* `edge01` Succeeded
  *Version* 0.11.0, release train Stable
  *Upgrades* new minor versions by themselves
  *Last changed* TIME
  *Connected registry* Offline, Active, last sync TIME
  *Sync token* `edge01` disabled
  *Cluster* Connected, last heartbeat TIME
  *In the cluster* `berlin-arc`
  *Namespace* `connected-registry`
  *Deployment* available, 1 of 1 Pod ready
  *Service IP* `10.96.0.2`
  *Volume claim* Bound, standard, 250Gi
  *Certificates* `connected-registry-tls` ready, valid until TIME
  Pods: `POD` Running on berlin-1
  Earlier:  FailedScheduling: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.
  Last lines of its log:
  TIME [ERR] Response status code does not indicate success: 401. Response: '{"errors":[{"code":"UNAUTHORIZED","message":"Incorrect Password","detail":"Please visit https://aka.ms/acr#U…
  TIME [ERR] Response status code does not indicate success: 401. Response: '{"errors":[{"code":"UNAUTHORIZED","message":"Incorrect Password","detail":"Please visit https://aka.ms/acr#U…
  TIME [ERR] Response status code does not indicate success: 401. Response: '{"errors":[{"code":"UNAUTHORIZED","message":"Incorrect Password","detail":"Please visit https://aka.ms/acr#U…
  [Check]\
""")
    assert await answer(registry, "extension show edge09") == snapshot("""\
Registry (only you): :heavy_minus_sign:  No extension runs *edge09* at any site.
  `/registry deploy edge09 --site SITE` installs one.\
""")
