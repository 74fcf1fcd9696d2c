"""Clusters, cloud registries and resource providers, as they are and as far as they can be asked."""

from typing import Any

from inline_snapshot import snapshot

from tests.flows.azure_roles import grant
from tests.flows.conversation import Conversation

CLUSTERS_READ = "Microsoft.Kubernetes/connectedClusters/read"
REGISTRIES_READ = "Microsoft.ContainerRegistry/registries/read"


async def answers(registry: Conversation, *lines: str) -> list[str]:
    """What dave reads, line by line of what he types."""
    texts = []
    for line in lines:
        await registry.say(line, as_="dave")
        texts.append(await registry.answer("dave"))
    return texts


def cluster_in_azure(registry: Conversation, name: str) -> Any:
    """The Arc-enabled cluster inside the sandbox."""
    assert registry.box.azure
    return next(one for one in registry.box.azure.cloud.clusters.values() if one.name == name)


async def test_clusters_cloud_registries_and_providers_are_shown(registry: Conversation) -> None:
    # A cluster that has expired reports no more, and lyon's agents have to have reported once.
    await registry.until(lambda: cluster_in_azure(registry, "lyon-arc").agent_version == "1.31.3")
    await registry.post("/sandbox/azure/clusters/lyon-arc", connectivityStatus="Expired")
    before = await answers(registry, "cluster list", "cluster show hamburg", "acr show berlin", "provider show berlin")
    await registry.say("deploy edge01 --site berlin")
    after = await answers(registry, "cluster show berlin", "acr show berlin", "provider show berlin")

    assert before == snapshot(
        [
            """\
Registry (only you): *3 clusters*: 1 Expired and 2 Connected
  Cluster | Site | Azure Arc | Agents | Distribution | Kubernetes | Nodes | Last contact (UTC)
  lyon-arc | lyon | Expired | 1.31.3 | generic | 1.29.9 | 1 | TIME
  berlin-arc | berlin | Connected | 1.31.3 | generic | 1.33.4 | 1 | TIME
  hamburg-arc | hamburg | Connected | 1.31.3 | generic | 1.33.4 | 2 | TIME\
""",
            """\
Registry (only you): :large_green_circle:  *hamburg-arc* (site `hamburg`) is connected to Azure Arc
  *Last contact* TIME
  *Agents* 1.31.3
  *Distribution* generic
  *Kubernetes, as Azure has it* 1.33.4
  *Location* westeurope
  *Agents' certificate expires* TIME
  *Kubernetes API* answers, `v1.33.4`
  *Nodes* 1 linux/amd64 and 1 linux/arm64
  *Storage classes* `standard` (default)
  *Service ranges* `10.112.0.0/24`, 2 in use
  *cert-manager* installed, not by an extension
  *Connected registry extension* none
  [Check]\
""",
            """\
Registry (only you): :warning:  *contosoacr* (site `berlin`): its dedicated data endpoint is off, which `acr update` enables.
  *Tier* Premium
  *Location* westeurope
  *Login server* `HOST`
  *Data endpoints* off
  *Network access* from everywhere
  *Admin user* off, and not needed
  *State* Succeeded
  *Connected registries* 0 of at most 50
  [List]\
""",
            """\
Registry (only you): :warning:  `Microsoft.Kubernetes`, `Microsoft.KubernetesConfiguration` and `Microsoft.ExtendedLocation` are not registered in the subscription of *berlin* (`ID`). `provider register` does it; it takes up to ten minutes. By hand:
  az provider register --namespace Microsoft.Kubernetes --subscription ID
  az provider register --namespace Microsoft.KubernetesConfiguration --subscription ID
  az provider register --namespace Microsoft.ExtendedLocation --subscription ID
  *Microsoft.Kubernetes* NotRegistered
  *Microsoft.KubernetesConfiguration* NotRegistered
  *Microsoft.ExtendedLocation* NotRegistered
  *Microsoft.ContainerRegistry* Registered
  Requests for `Microsoft.ContainerRegistry/registries/connectedRegistries` bear the api-version `2026-09-01-preview`.\
""",
        ]
    )
    assert after == snapshot(
        [
            """\
Registry (only you): :large_green_circle:  *berlin-arc* (site `berlin`) is connected to Azure Arc
  *Last contact* TIME
  *Agents* 1.31.3
  *Distribution* generic
  *Kubernetes, as Azure has it* 1.33.4
  *Location* westeurope
  *Agents' certificate expires* TIME
  *Kubernetes API* answers, `v1.33.4`
  *Nodes* 1 linux/amd64
  *Storage classes* `standard` (default)
  *Service ranges* `10.96.0.0/16`, 3 in use
  *cert-manager* installed by the extension `edge01`
  *Connected registry extension* `edge01` Succeeded
  [Check]\
""",
            """\
Registry (only you): :white_check_mark:  *contosoacr* (site `berlin`): it has what connected registries need.
  *Tier* Premium
  *Location* westeurope
  *Login server* `HOST`
  *Data endpoints* `contosoacr.westeurope.data.azurecr.io`
  *Network access* from everywhere
  *Admin user* off, and not needed
  *State* Succeeded
  *Connected registries* 1 of at most 50: 1 Online
  [List]\
""",
            """\
Registry (only you): :white_check_mark:  All resource providers are registered in the subscription of *berlin* (`ID`).
  *Microsoft.Kubernetes* Registered
  *Microsoft.KubernetesConfiguration* Registered
  *Microsoft.ExtendedLocation* Registered
  *Microsoft.ContainerRegistry* Registered
  Requests for `Microsoft.ContainerRegistry/registries/connectedRegistries` bear the api-version `2026-09-01-preview`.\
""",
        ]
    )


async def test_what_could_not_be_asked_is_said_to_be_so(registry: Conversation) -> None:
    grant(registry, "reader", but={CLUSTERS_READ, REGISTRIES_READ})
    refused = await answers(registry, "cluster list", "acr show berlin", "provider show berlin")
    grant(registry, "reader")
    await registry.fault("kube", ".", status=503, times=None)
    unasked = await answers(registry, "cluster show berlin")
    assert registry.box.azure
    registry.box.azure.cloud.registries.clear()
    registry.box.azure.cloud.clusters.clear()
    gone = await answers(registry, "cluster list", "cluster show berlin", "acr show berlin")

    assert refused == snapshot(
        [
            """\
Registry (only you): *3 clusters*: 3 could not be asked
  Cluster | Site | Azure Arc | Agents | Distribution | Kubernetes | Nodes | Last contact (UTC)
  berlin-arc | berlin | could not be asked | – | – | – | – | –
  hamburg-arc | hamburg | could not be asked | – | – | – | – | –
  lyon-arc | lyon | could not be asked | – | – | – | – | –
  :grey_question:  Azure does not let the bot do this: the bot's own identity lacks `Microsoft.Kubernetes/connectedClusters/read` at `/subscriptions/ID/resourceGroups/edge-rg/providers/Microsoft.Kubernetes/connectedClusters/lyon-arc`. Grant it that right; a role that was granted or activated a moment ago takes up to ten minutes to act. Only those who run the bot can do that. Its answer: _AuthorizationFailed: The client 'ID' with object id 'ID' does not have authorization to perform action 'Microsoft.Kubernetes/connectedClusters/read' over scope '/subscriptions/ID/resourceGroups/edge-rg/providers/Microsoft.Kubernetes/connectedClusters/lyon-arc' or the scope is invalid. If access was recently granted, please refresh your credentials._ Correlation id for support: `ID`.\
""",
            """\
Registry (only you): :grey_question:  *contosoacr* (site `berlin`) could not be asked. Azure does not let the bot do this: the bot's own identity lacks `Microsoft.ContainerRegistry/registries/read` at `/subscriptions/ID/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr`. Grant it that right; a role that was granted or activated a moment ago takes up to ten minutes to act. Only those who run the bot can do that. Its answer: _AuthorizationFailed: The client 'ID' with object id 'ID' does not have authorization to perform action 'Microsoft.ContainerRegistry/registries/read' over scope '/subscriptions/ID/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr' or the scope is invalid. If access was recently granted, please refresh your credentials._ Correlation id for support: `ID`.
  [List]\
""",
            """\
Registry (only you): :grey_question:  The subscription of *berlin* (`ID`) could not be asked. Azure does not let the bot do this: the bot's own identity lacks `Microsoft.Resources/subscriptions/providers/read` at `/subscriptions/ID/providers`. Grant it that right; a role that was granted or activated a moment ago takes up to ten minutes to act. Only those who run the bot can do that. Its answer: _AuthorizationFailed: The client 'ID' with object id 'ID' does not have authorization to perform action 'Microsoft.Resources/subscriptions/providers/read' over scope '/subscriptions/ID/providers' or the scope is invalid. If access was recently granted, please refresh your credentials._ Correlation id for support: `ID`.
  Requests for `Microsoft.ContainerRegistry/registries/connectedRegistries` bear the api-version `2026-09-01-preview`.\
""",
        ]
    )
    assert unasked == snapshot(
        [
            """\
Registry (only you): :large_green_circle:  *berlin-arc* (site `berlin`) is connected to Azure Arc
  *Last contact* TIME
  *Agents* 1.31.3
  *Distribution* generic
  *Kubernetes, as Azure has it* 1.33.4
  *Location* westeurope
  *Agents' certificate expires* TIME
  *Kubernetes API* could not be asked
  *Nodes* could not be asked
  *Storage classes* could not be asked
  *Service ranges* could not be asked
  *cert-manager* could not be asked
  *Connected registry extension* none
  :grey_question:  The cluster could not be reached, so the state of `berlin: get configmaps azure-clusterconfig in azure-arc` is unknown. Try again soon. Its answer: _503: The server encountered an internal error._
  [Check]\
"""
        ]
    )
    assert gone == snapshot(
        [
            """\
Registry (only you): *3 clusters*: 3 not in Azure Arc
  Cluster | Site | Azure Arc | Agents | Distribution | Kubernetes | Nodes | Last contact (UTC)
  berlin-arc | berlin | not in Azure Arc | – | – | – | – | –
  hamburg-arc | hamburg | not in Azure Arc | – | – | – | – | –
  lyon-arc | lyon | not in Azure Arc | – | – | – | – | –\
""",
            """\
Registry (only you): :red_circle:  *berlin-arc* (site `berlin`) is not in Azure Arc
  *Kubernetes API* could not be asked
  *Nodes* could not be asked
  *Storage classes* could not be asked
  *Service ranges* could not be asked
  *cert-manager* could not be asked
  *Connected registry extension* none
  :grey_question:  The cluster could not be reached, so the state of `berlin: get configmaps azure-clusterconfig in azure-arc` is unknown. Try again soon. Its answer: _503: The server encountered an internal error._
  [Check]\
""",
            """\
Registry (only you): :heavy_minus_sign:  There is no registry *contosoacr* (site `berlin`). `/registry acr create berlin --location REGION` creates it.
  [List]\
""",
        ]
    )
