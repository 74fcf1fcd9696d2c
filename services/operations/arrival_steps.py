"""Steps by which an operation waits until images are at the edge, for each kind that can.

The edge is asked as `images` does, but nobody may read there yet. So the operation lends itself a client token with a
scope map for exactly these repositories, and takes all of it back when it ends, however that is. The password lives
between two awaits and nowhere else.

`name` and `token` among the parameters are those of scope map and token, which are the same, and `registry` is the
connected registry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.model.azure import ConnectedRegistry
from services.model.contents import CloudTag, EdgeContents, EdgeQuestion, EdgeSilence
from services.model.errors import Absent, Busy, Failure
from services.model.kubernetes import PullSecret
from services.model.operation import Operation
from services.model.plan import Effect, PlannedStep
from services.operations import client_tokens
from services.operations.arrival_codes import ArrivalCause
from services.operations.client_token_steps import (
    link_token,
    pull_secret_lines,
    put_client_scope_map,
    put_client_token,
    sync_facts,
)
from services.operations.command_line import acr_options, command_line, kubectl_options, repeated
from services.operations.outputs import ImagesArrived, ImagesAwaited
from services.operations.passwords import new_password
from services.operations.step import Done, Going, Progress, Scene, Step, settle
from services.operations.token_steps import SLOTS
from services.operations.workload_removal import TOKEN_NAME_LENGTH
from services.policy.arrival import Arrival, last_sync, latest_arrival, next_sync, outstanding
from services.policy.sites import Site

SPARE = timedelta(days=1)
"""For how long the password outlives the wait by itself, should nobody take it back."""
LOOK_AGAIN = timedelta(minutes=5)
"""Between two questions to an edge in contact that shows no new sync: a long one brings one image after another."""
GRACE = timedelta(minutes=2)
"""For how long the Job that asks may not run: a quota or a slow image pull may pass."""


def reader_of(registry: str) -> str:
    """Name of the client token by which an operation reads at a connected registry, and of what belongs to it."""
    return f"{registry[: TOKEN_NAME_LENGTH - len('-reader')].rstrip('-')}-reader"


def reader_steps(site: Site, registry: str, repositories: tuple[str, ...]) -> tuple[PlannedStep, ...]:
    """The planned steps that make whoever reads; they come before the sync that brings the images. Pure."""
    name = reader_of(registry)
    actions = tuple(
        f"repositories/{repository}/{verb}"
        for repository in sorted(repositories)
        for verb in ("content/read", "metadata/read")
    )
    namespace = site.cluster.kubernetes.reader_namespace
    shared = {"name": name, "token": name, "registry": registry}
    return (
        _temporary(SCOPE_MAP.kind, **shared, actions=actions, repositories=repositories, namespace=namespace),
        _temporary(TOKEN.kind, **shared),
        _temporary(LINK.kind, **shared),
        _temporary(SECRET.kind, **shared, namespace=namespace),
    )


def arrival_step(site: Site, registry: str, repositories: tuple[str, ...], images: tuple[str, ...]) -> PlannedStep:
    """The planned step that waits; for `images`, repositories with tags, or all tags where none is named. Pure."""
    namespace = site.cluster.kubernetes.reader_namespace
    params = {"registry": registry, "repositories": repositories, "images": images, "namespace": namespace}
    return PlannedStep(ARRIVED.kind, {**params, "token": reader_of(registry)}, "verify")


def _temporary(kind: str, **params: object) -> PlannedStep:
    effect: Effect = "temporary"
    return PlannedStep(kind, params, effect)


def _always(_operation: Operation, _index: int) -> bool:
    """The run before has taken it back."""
    return True


# --- whoever reads ----------------------------------------------------------------------------------------------------


def put_reader_scope_map(kind: str) -> Step:
    """A step that makes the scope map, and whose undoing takes back all that the steps after it make."""
    made = put_client_scope_map(kind, lambda scene: f"operation {scene.operation.id}, which deletes it")

    async def begin(scene: Scene) -> Progress:
        # The lease has what can't be taken back now tried again later, and keeps the next operation off it till then.
        key = scene.site.acr_ref.connected_id(scene.params["registry"]).lower()
        if not await scene.leases.take(key, scene.params["name"], scene.operation.id):
            raise Busy("azure", scene.params["name"], "ReaderInUse")
        return await made.begin(scene)

    return replace(made, begin=begin, undo=_take_back, repeats=_always)


async def _take_back(scene: Scene) -> None:
    """What may be there of the token, first of all its place in the connected registry's list."""
    acr, name = scene.site.acr_ref, scene.params["name"]
    try:
        registry = await scene.azure.connected.get(acr, scene.params["registry"])
    except Absent:
        registry = None
    unlinked = await client_tokens.write(scene, registry, remove=(name,)) if registry else None
    if unlinked is not None:
        await settle(scene, unlinked)
    await settle(scene, await scene.azure.tokens.delete(acr, name))
    await settle(scene, await scene.azure.scope_maps.delete(acr, name))
    await (await scene.cluster()).delete_pull_secret(scene.params["namespace"], name)


def put_reader_secret(kind: str) -> Step:
    """A step that makes a password, which ends by itself too, and the Secret from which the Job has it.

    The Secret's entry bears the connected registry's name: its address may not be known yet.
    """

    async def begin(scene: Scene) -> Progress:
        params = scene.params
        registry = await scene.azure.connected.get(scene.site.acr_ref, params["registry"])
        began = scene.operation.started_at or scene.operation.created
        expires = latest_arrival(registry, began) + SPARE
        name, account, cluster = params["name"], params["registry"], await scene.cluster()
        async with new_password(scene, SLOTS[0], expires=expires) as password:
            secret = PullSecret(params["namespace"], name, name, account, account, params["token"], password)
            await cluster.put_pull_secret(secret)
        return Done()

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        params = planned.params
        namespace, name = str(params["namespace"]), str(params["name"])
        return pull_secret_lines(site, namespace, name, SLOTS[0], token=params["token"], server=params["registry"])

    return Step(kind, begin, line, repeats=_always)


# --- the wait ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Wait:
    """What is remembered between two looks: expected digests by repository and tag, and the last answer of the edge.

    It is not stored: a process that goes on with the operation begins with the cloud's tags of that moment.
    """

    expected: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sync: datetime | None = None
    asked: timedelta | None = None
    missing: tuple[tuple[str, Arrival], ...] = ()
    silence: EdgeSilence | None = None


def see_arrived(kind: str) -> Step:
    """A step that waits until the edge itself has every tag with the cloud's digest, with all manifests below it.

    It asks after each sync, and for a last time when the sync that should bring them has had its time.
    """

    async def begin(_scene: Scene) -> Progress:
        return Going()

    async def wait(scene: Scene, token: object) -> Progress:
        memory = token if isinstance(token, _Wait) else _Wait()
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.params["registry"])
        began = scene.operation.steps[scene.index].started or scene.operation.created
        now = began + scene.waited
        limit = latest_arrival(registry, began)
        is_last = now > began + (limit - began) * scene.patience
        if is_last or _is_worth_asking(registry, memory, scene):
            memory = await _ask(scene, registry, memory, now)
        total = sum(map(len, memory.expected.values()))
        if memory.asked is not None and memory.silence is None and not memory.missing:
            return Done(ImagesArrived(total))
        is_broken = memory.silence is not None and memory.silence.code in {"NoProgram", "NoReader"}
        if is_last or (is_broken and scene.waited >= GRACE * scene.patience):
            raise _not_arrived(registry, memory, total)
        note = ImagesAwaited(total - len(memory.missing), total, next_sync(registry, now)) if memory.asked else None
        return Going(memory, note=note or ImagesAwaited(0, 0, next_sync(registry, now)))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        params, acr = planned.params, acr_options(site.acr_ref)
        show = command_line(
            "az acr connected-registry show",
            name=params["registry"],
            **acr,
            query="parent.syncProperties.lastSyncTime",
            output="tsv",
        )
        return "\n".join(
            (
                repeated(show, "last_sync", seconds=10),
                client_tokens.line(site, str(params["registry"]), remove=params["token"]),
                command_line("az acr token delete", name=params["token"], **acr, yes=True),
                command_line("az acr scope-map delete", name=params["token"], **acr, yes=True),
                command_line("kubectl delete secret", params["token"], **kubectl_options(site, params["namespace"])),
            )
        )

    return Step(
        kind,
        begin,
        line,
        wait=wait,
        interval=10,
        within=timedelta(days=366),
        # A night's schedule must not keep others from importing into the cloud registry.
        frees=lambda site: (site.acr_ref.id.lower(),),
    )


def _is_worth_asking(registry: ConnectedRegistry, memory: _Wait, scene: Scene) -> bool:
    """Whether the edge may have got something since it was asked: each question starts a Pod there."""
    synced = last_sync(registry)
    if not registry.login_server or synced is None:
        return False
    if memory.asked is None or synced != memory.sync:
        return True
    return registry.connection_state != "Offline" and scene.waited - memory.asked >= LOOK_AGAIN * scene.patience


async def _ask(scene: Scene, registry: ConnectedRegistry, memory: _Wait, now: datetime) -> _Wait:
    acr, repositories, cluster = scene.site.acr_ref, scene.params["repositories"], await scene.cluster()
    server = (await scene.azure.registries.get(acr)).login_server
    cloud = {repository: await _cloud_tags(scene, server, repository) for repository in repositories}
    expected = memory.expected or {
        repository: {tag: entry.digest for tag, entry in tags.items() if _is_named(scene, repository, tag)}
        for repository, tags in cloud.items()
    }
    images = scene.params["images"]
    question = EdgeQuestion(
        scene.params["namespace"],
        registry.login_server,
        dict.fromkeys(repositories, scene.params["token"]),
        scene.site.cluster.kubernetes.reader_image,
        tuple(sorted({image.rpartition(":")[2] for image in images})),
        account=scene.params["registry"],
        key=f"{scene.run_id} {memory.asked}",
    )
    edge: Mapping[str, EdgeContents] = (
        await cluster.edge_contents(question)
        if registry.login_server
        else dict.fromkeys(repositories, EdgeSilence("NoAddress"))
    )
    missing = tuple(
        (repository, arrival)
        for repository, digests in expected.items()
        for arrival in outstanding(digests, cloud[repository], edge[repository], registry, now)
    )
    silence = next((answer for answer in edge.values() if isinstance(answer, EdgeSilence)), None)
    return _Wait(expected, last_sync(registry), scene.waited, missing, silence)


async def _cloud_tags(scene: Scene, server: str, repository: str) -> Mapping[str, CloudTag]:
    try:
        return await scene.azure.images.tags(scene.site.acr_ref, server, repository)
    except Absent:
        return {}


def _is_named(scene: Scene, repository: str, tag: str) -> bool:
    images = scene.params["images"]
    return not images or f"{repository}:{tag}" in images


def _not_arrived(registry: ConnectedRegistry, memory: _Wait, total: int) -> Failure:
    """What the edge has answered, else why it could not be asked: nobody calls an image missing for that."""
    facts = {**sync_facts(registry), "total": total}
    if memory.silence is not None or memory.asked is None:
        silence = memory.silence or EdgeSilence("Unreachable")
        return Failure(ArrivalCause.IMAGES_UNASKED, {**facts, "reason": silence.code, "message": silence.detail})
    images = tuple(f"{repository}:{arrival.tag}" for repository, arrival in memory.missing)
    return Failure(ArrivalCause.IMAGES_LATE, {**facts, "images": images})


SCOPE_MAP = put_reader_scope_map("reader_scope_map.put")
TOKEN = replace(put_client_token("reader_token.put"), repeats=_always)
LINK = replace(link_token("reader_token.link"), repeats=_always)
SECRET = put_reader_secret("reader_secret.put")
ARRIVED = see_arrived("images.arrived")
READER_STEPS: tuple[Step, ...] = (SCOPE_MAP, TOKEN, LINK, SECRET)
VALUES = {
    "images.awaited": ImagesAwaited,
    "images.arrived": ImagesArrived,
}
"""By the tag that is stored, which never changes."""
