"""Looking without changing anything."""

import re
from dataclasses import replace
from datetime import timedelta

from inline_snapshot import snapshot

from services.model.message import Channel, LiveMessage, Subject
from tests.flows.conversation import HOLD, Conversation


async def test_a_list_shows_what_azure_has(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("list", as_="dave")

    assert await registry.answer("dave") == snapshot("""\
Registry (only you): *1 connected registry*: 1 healthy
  Name | Health | Site | State | Last sync | Mode | Parent | Login server | Activation | Schedule (UTC) | Window
  edge01 | healthy | berlin | Online | N s ago | ReadOnly | contosoacr | 10.96.0.2 | Active | continuous | –\
""")


async def test_a_list_without_registries_says_how_to_get_one(registry: Conversation) -> None:
    await registry.say("list")

    assert await registry.answer() == snapshot("Registry (only you): There are no connected registries.")


async def test_a_list_says_which_registry_could_not_be_asked(registry: Conversation) -> None:
    await registry.fault("azure", "GET .*/connectedRegistries$", status=503, times=None)
    await registry.say("list")

    assert await registry.answer() == snapshot("""\
Registry (only you): No cloud registry could be asked.
  :grey_question:  *contosoacr* could not be asked. Azure could not be reached, so the state of `contosoacr/connectedRegistries` is unknown. Try again soon. Its answer: _InternalServerError: The server encountered an internal error._\
""")


async def test_a_list_comes_in_time_without_a_cluster_that_does_not_answer_and_says_so(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    registry.blueprint = replace(registry.blueprint, command_deadline=timedelta(seconds=5))
    await registry.restart()
    await registry.fault("azure", "GET .*/berlin-arc/.*/extensions$", "delay", seconds=HOLD, times=None)
    await registry.say("list")

    assert await registry.answer() == snapshot("""\
Registry (only you): *1 connected registry*: 1 healthy
  Name | Health | Site | State | Last sync | Mode | Parent | Login server | Activation | Schedule (UTC) | Window
  edge01 | healthy | not known | Online | N s ago | ReadOnly | contosoacr | 10.96.0.2 | Active | continuous | –
  :grey_question:  The cluster of `berlin` could not be asked about extensions.\
""")


async def test_one_registry_is_shown_with_its_extension(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("show edge01 --site berlin", as_="dave")

    assert await registry.answer("dave") == snapshot("""\
Registry (only you): :large_green_circle:  *edge01* at *berlin* is Online
  *Mode* ReadOnly
  *Activation* Active
  *Last sync* TIME (N s ago)
  *Last full sync* Succeeded (InitialSync)
  *Schedule* continuous
  *Login server at the edge* `10.96.0.2`
  *Parent* contosoacr
  *Extension* Succeeded 0.11.0
  *Messages are kept for* 2 d  ·  *Runtime* 0.11.0  ·  *Client tokens* none  ·  *Garbage collection* on, 0 0 * * * UTC  ·  *Log level* Information  ·  *Notifications* none
  [Extension] [Permissions] [Tokens]\
""")


async def test_a_check_says_what_is_well_and_what_is_not(registry: Conversation) -> None:
    await registry.say("check hamburg --name edge01")

    assert await registry.answer() == snapshot("""\
Registry (only you): *edge01 at hamburg*: ready, with 2 warnings
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
  :white_check_mark:  The name `edge01` is free.
  :white_check_mark:  The registry has 0 of at most 50 connected registries.
  :white_check_mark:  The scope map needs 6 of at most 500 permissions (repositories: 1).
  :white_check_mark:  There is no scope map `edge01` yet.
  :white_check_mark:  There is no token `edge01` yet.
  :white_check_mark:  The cluster has no connected registry extension yet.
  :white_check_mark:  The Kubernetes API answers (version `v1.33.4`).
  :white_check_mark:  The bot has all rights in the cluster that a deployment needs.
  :white_check_mark:  The namespace `connected-registry` is usable.
  :white_check_mark:  There is a ready linux/amd64 node (`hamburg-1`).
  :white_check_mark:  The storage class `standard` exists.
  :white_check_mark:  cert-manager is installed already, so the extension does not install it.
  :white_check_mark:  The Service address `10.112.0.2` is free in `10.112.0.0/24` and was picked.
  production  ·  contosoacr → hamburg-arc\
""")


async def test_operations_are_listed_with_their_states(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("deploy edge02 --site hamburg", as_="carol")
    await registry.say("operation list", as_="dave")

    assert await registry.answer("dave") == snapshot("""\
Registry (only you): Id | Operation | State | Requested by | When (UTC)
  op-1 | Deploy edge02 to hamburg | waiting for approval | carol | TIME
  op-2 | Deploy edge01 to berlin | online | alice | TIME\
""")


async def test_operations_of_one_site_are_listed_alone(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("deploy edge02 --site hamburg")
    await registry.say("operation list --site hamburg")

    assert await registry.answer() == snapshot("""\
Registry (only you): Id | Operation | State | Requested by | When (UTC)
  op-1 | Deploy edge02 to hamburg | waiting for approval | alice | TIME\
""")


async def test_operations_are_listed_in_pages(registry: Conversation) -> None:
    await registry.say("deploy edge100 --site hamburg")
    store = registry.bot.store
    [newest] = await store.operations.find()
    for age in range(1, 21):
        name, created = f"edge1{age:02}", newest.created - timedelta(minutes=age)
        await store.operations.create(replace(newest, id=f"op-{name}", target=name, created=created), name)
        message = LiveMessage(Subject("operation", f"op-{name}"), Channel(newest.place.team, newest.place.channel))
        await store.messages.claim(message, "a bot", newest.created, newest.created)
        await store.messages.release(message, "a bot", ts="1.0", shown=newest.revision)

    await registry.say("operation list --site hamburg")
    first = await registry.answer()
    await registry.click("Older", as_="alice")
    second = await registry.answer()

    assert ("edge119" in first, "edge120" in first) == (True, False)
    assert ("edge119" in second, "edge120" in second) == (False, True)


async def test_an_operation_shows_its_decisions_and_steps(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="bob")
    await registry.click("Show details", as_="dave")

    assert await registry.answer("dave") == snapshot("""\
Registry (only you): :white_check_mark:  *Deploy edge01 to hamburg*  ·  online, approved by bob
  requested by @alice TIME  ·  production  ·  `op-1`
  *Connected registry* edge01 is Online
  *Extension* Succeeded
  *Service IP* `10.112.0.2`
  *Volume* Bound
  *Last sync* TIME
  *Repositories* `hello-world`
  *Took* N s
  *Decisions*
  • bob: approved TIME
  Step | State | Took | Correlation id
  Hold: Service IP 10.112.0.2 | complete | N s | –
  Change: Registration of resource providers | complete | N s | –
  Change: Data endpoint of contosoacr | complete | N s | ID
  Create: Image hello-world:latest | complete | N s | ID
  Create: Scope map edge01 | complete | N s | ID
  Create: Sync token edge01 | complete | N s | ID
  Create: Connected registry edge01 | complete | N s | ID
  Create: Extension edge01 | complete | N s | ID
  Verify: Deployment, Service and volume in the cluster | complete | N s | –
  Verify: edge01 comes online | complete | N s | –
  Verify: First sync of edge01 | complete | N s | –
  [Show as script]\
""")


async def test_the_list_names_sites_and_can_be_narrowed_down(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("deploy edge02 --site hamburg")
    await registry.click("Approve", as_="bob")
    await registry.say("list", as_="dave")
    everything = await registry.answer("dave")
    await registry.say("list --site hamburg", as_="dave")
    at_hamburg = await registry.answer("dave")
    await registry.say("list --health offline", as_="dave")

    assert (everything, at_hamburg, await registry.answer("dave")) == snapshot(
        (
            """\
Registry (only you): *2 connected registries*: 2 healthy
  Name | Health | Site | State | Last sync | Mode | Parent | Login server | Activation | Schedule (UTC) | Window
  edge01 | healthy | berlin | Online | N s ago | ReadOnly | contosoacr | 10.96.0.2 | Active | continuous | –
  edge02 | healthy | hamburg | Online | N s ago | ReadOnly | contosoacr | 10.112.0.2 | Active | continuous | –\
""",
            """\
Registry (only you): *1 of 2 connected registries*: 1 healthy
  Name | Health | Site | State | Last sync | Mode | Parent | Login server | Activation | Schedule (UTC) | Window
  edge02 | healthy | hamburg | Online | N s ago | ReadOnly | contosoacr | 10.112.0.2 | Active | continuous | –\
""",
            "Registry (only you): None of 2 connected registries matches.",
        )
    )


async def test_one_registry_is_found_without_its_site(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("show edge01", as_="dave")
    without_site = await registry.answer("dave")
    await registry.say("show edge01 --site hamburg", as_="dave")

    assert without_site.splitlines()[0] == snapshot(
        "Registry (only you): :large_green_circle:  *edge01* at *berlin* is Online"
    )
    assert (await registry.answer("dave")).splitlines()[:2] == snapshot(
        [
            "Registry (only you): :warning:  *edge01* is not at *hamburg*: its extension is on `berlin-arc` (site `berlin`).",
            "  :large_green_circle:  *edge01* at *berlin* is Online",
        ]
    )


async def test_sites_are_listed_and_one_is_shown(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("site list", as_="dave")
    sites = await registry.answer("dave")
    await registry.say("site show berlin", as_="dave")
    card = re.sub(r"\*deploy\*,.* and ", "*deploy*, … and ", await registry.answer("dave"))

    assert (sites, card) == snapshot(
        (
            """\
Registry (only you): *3 sites*
  Site | Environment | Cloud registry | Cluster | Description
  berlin | development | contosoacr | berlin-arc | –
  hamburg | production | contosoacr | hamburg-arc | –
  lyon | development | contosoacr | lyon-arc | –\
""",
            """\
Registry (only you): *berlin*  ·  development
  *Site file* `environment` development  ·  `subscription` ID  ·  `resource_group` edge-rg  ·  `acr.name` contosoacr  ·  `cluster.name` berlin-arc  ·  `cluster.kubernetes.context` berlin  ·  `sync.repositories` hello-world  ·  `images.hello-world` mcr.microsoft.com/hello-world:latest
  *Azure, of the registry* `login server` HOST  ·  `tier` Premium  ·  `region` westeurope  ·  `data endpoint` contosoacr.westeurope.data.azurecr.io
  *Azure Arc* `connectivity` Connected  ·  `distribution` generic 1.33.4  ·  `nodes` 1  ·  `agents` 1.31.3
  *The cluster itself* `that it is the site's` proven (azure-clusterconfig)  ·  `Kubernetes API` v1.33.4  ·  `ready nodes` berlin-1 linux/amd64  ·  `storage classes` standard (default)  ·  `cert-manager` installed  ·  `Service ranges` 10.96.0.0/16 (ServiceCIDR)
  *Defaults* `identity` that of the bot's settings  ·  `acr.create_in` a deployment creates no registry  ·  `access` kubeconfig  ·  `cluster.kubernetes.kubeconfig` that of KUBECONFIG or of the home folder, else the bot's own cluster  ·  `cluster.kubernetes.hold_namespace` default  ·  `cluster.kubernetes.reader_image` mcr.microsoft.com/azurelinux/distroless/python:3.12  ·  `cluster.kubernetes.reader_namespace` default  ·  `sync.mode` ReadOnly  ·  `sync.schedule` `* * * * *`  ·  `sync.message_ttl` 2 d  ·  `sync.log_level` Information  ·  `sync.audit_logs` no  ·  `sync.gc_enabled` yes  ·  `sync.gc_schedule` `0 0 * * *`  ·  `extension.service_ip` a free one is picked  ·  `extension.storage_class` the cluster's default class  ·  `extension.storage_request` 250Gi  ·  `extension.release_train` Stable  ·  `extension.version` the newest, upgraded by Azure  ·  `extension.trust_distribution` yes  ·  `extension.tls` by cert-manager
  *Cloud registry* `contosoacr` Premium, westeurope
  *Cluster* `berlin-arc` Connected, last heartbeat TIME
  *Connected registries* `edge01` healthy
  *deploy*, … and *workload rotate* need no approval here.
  You may: `operation:read` and `registry:read`.
  [Check] [List]\
""",
        )
    )
