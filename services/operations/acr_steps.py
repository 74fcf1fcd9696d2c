"""Steps on the cloud registry and its subscription, for each kind of operation that has them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from services.model.azure import Pending
from services.model.errors import (
    Absent,
    AlreadyExists,
    DomainError,
    Failure,
    Locked,
    NotAllowed,
    NotAuthenticated,
    Refused,
)
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.model.secret import Secret
from services.operations.causes import ImageCause, facts_of
from services.operations.command_line import FileContent, Variable, command_line, registration_lines
from services.operations.local_secrets import password_of
from services.operations.outputs import ImageImported, ImageKept
from services.operations.registration import provider_states
from services.operations.step import Done, Going, Progress, Scene, Step, follow, followed, is_there
from services.policy.sites import PUBLIC_HOSTS, Site

_LOGIN_SERVER = "login_server"
"""Fact of an import under way."""
UNSEEN = timedelta(minutes=1)
"""For how long a tag that was just imported may not be there yet."""
_SOURCE_SAYS = (
    (ImageCause.SOURCE_ABSENT, re.compile(r"MANIFEST_UNKNOWN|NAME_UNKNOWN|manifest unknown", re.IGNORECASE)),
    (
        ImageCause.SOURCE_CLOSED,
        re.compile(r"\bUNAUTHORIZED\b|\bDENIED\b|[Aa]uthentication required|Access to \S+ denied|not allowed access"),
    ),
)
"""What a registry answers when an import reads there."""
_REFUSED_AS_EXISTING = Pending("tag exists")
"""In the place of an import that Azure refused: there is nothing to follow, only the tag to look at."""


def register_providers(kind: str) -> Step:
    """A step that registers resource providers with the subscription, and is done when Azure says so of all."""

    async def begin(scene: Scene) -> Progress:
        states = [
            await scene.azure.providers.register(scene.site.subscription_of(namespace), namespace)
            for namespace in scene.params["namespaces"]
        ]
        return Done() if all(state == "Registered" for state in states) else Going()

    async def wait(scene: Scene, _token: object) -> Progress:
        namespaces = scene.params["namespaces"]
        states = await provider_states(scene.azure, scene.site, namespaces)
        return Done() if all(states.get(namespace) == "Registered" for namespace in namespaces) else Going()

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        namespaces = planned.params["namespaces"]
        return registration_lines(site, namespaces if isinstance(namespaces, tuple) else (), wait=True)

    return Step(kind, begin, line, wait=wait, interval=10, within=timedelta(minutes=15))


def create_registry(kind: str) -> Step:
    """A step that creates the cloud registry."""

    async def begin(scene: Scene) -> Progress:
        return followed(await scene.azure.registries.create(scene.site.acr_ref, scene.params["location"]))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return command_line(
            "az acr create",
            name=planned.params["name"],
            resource_group=site.acr_ref.resource_group,
            subscription=site.acr_ref.subscription,
            location=planned.params["location"],
            sku="Premium",
            data_endpoint_enabled="true",
        )

    return Step(
        kind,
        begin,
        line,
        wait=follow,
        writes=lambda site, _: site.acr_ref.id,
        exists=lambda scene: is_there(scene.azure.registries.get(scene.site.acr_ref)),
    )


def import_image(kind: str) -> Step:
    """A step that imports an image: it never overwrites, and is done when the tag is there, whatever Azure answers."""

    async def begin(scene: Scene) -> Progress:
        image = scene.params["image"]
        tag = await _tag(scene)
        if tag.digest:
            # One that was begun before had found no tag then, so that this one is its own.
            output = ImageImported if scene.repeated else ImageKept
            return Done(output(image, tag.digest, tag.login_server))
        origin = await _origin(scene)
        try:
            with _blaming_the_source(scene):
                pending = await scene.azure.registries.import_image(
                    scene.site.acr_ref,
                    origin.source,
                    image,
                    source_registry=origin.registry,
                    credentials=origin.credentials,
                )
        except AlreadyExists:
            return Going(_REFUSED_AS_EXISTING)
        return Going(replace(pending, facts={_LOGIN_SERVER: tag.login_server}), pending.correlation_id)

    async def exists(scene: Scene) -> bool | None:
        digest = (await _tag(scene)).digest
        return None if digest is None else digest != ""

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        # An import fails where the tag is there already: then there is nothing to do.
        acr, image = site.acr_ref, planned.params["image"]
        show = command_line(
            "az acr repository show", name=acr.name, subscription=acr.subscription, image=image, output="none"
        )
        import_ = command_line(
            "az acr import",
            name=acr.name,
            resource_group=acr.resource_group,
            subscription=acr.subscription,
            **_source_options(site, planned),
            image=image,
        )
        return f"{show} 2> /dev/null ||\n  {import_}"

    return Step(kind, begin, line, wait=_imported, exists=exists)


async def _imported(scene: Scene, token: Pending) -> Progress:
    """Done when the tag is there: that an import has ended, or was refused since the tag exists, proves nothing."""
    image, pending = scene.params["image"], token
    if token != _REFUSED_AS_EXISTING:
        try:
            with _blaming_the_source(scene):
                pending = await scene.azure.operations.poll(token)
        except AlreadyExists:
            pending = _REFUSED_AS_EXISTING
    if pending.kind != "done":
        return Going(pending)
    tag = await _tag(scene, token.facts.get(_LOGIN_SERVER, ""))
    if tag.digest == "":
        if scene.waited >= UNSEEN * scene.patience:
            raise Failure(
                ImageCause.IMAGE_NOT_THERE,
                {"image": image, "registry": scene.site.acr_ref.name, "repository": image.rpartition(":")[0]},
            )
        return Going(pending)
    output = ImageKept if pending == _REFUSED_AS_EXISTING else ImageImported
    return Done(output(image, tag.digest or "", tag.login_server))


@contextmanager
def _blaming_the_source(scene: Scene) -> Iterator[None]:
    """What the source's registry answers to Azure comes as a refusal of Azure's own, which then reads like the bot's.

    Raises `Failure` for it (Azure/acr#435, #571: another registry keeps Azure out; Docker Hub answers UNAUTHORIZED for
    a repository that does not exist).
    """
    try:
        yield
    except (NotAllowed, NotAuthenticated, Refused) as error:
        causes = [cause for cause, words in _SOURCE_SAYS if words.search(error.message)]
        of_azure = isinstance(error, Locked) or (isinstance(error, NotAllowed) and error.action) or error.reason
        if of_azure or not causes:
            raise
        source = scene.params["source"]
        facts = facts_of(error) | {"source": source, "host": source.partition("/")[0]}
        raise Failure(causes[0], facts, error.correlation_id) from None


@dataclass(frozen=True)
class _Origin:
    """What an import reads, and how: `source` has no host where `registry`, an ARM id, says whose it is."""

    source: str
    registry: str = ""
    credentials: tuple[str, Secret] | None = None


async def _origin(scene: Scene) -> _Origin:
    """As the site file says; one that it does not know may be another registry of the same subscription."""
    source, registry = scene.params["source"], scene.params.get("source_registry", "")
    host, _, path = source.partition("/")
    if registry or host in PUBLIC_HOSTS:
        return _Origin(source, registry)
    if (entry := scene.site.sources.get(host.casefold())) is None:
        try:
            registry = await scene.azure.registries.owner(scene.site.acr_ref.subscription, host)
        except DomainError:
            # Registries that let everybody read need no owner; the import itself says when this one is none.
            registry = ""
        return _Origin(path, registry) if registry else _Origin(source)
    if entry.resource_id:
        return _Origin(path, entry.resource_id)
    try:
        return _Origin(source, credentials=(entry.username, password_of(entry, scene.environment)))
    except ValueError as error:
        facts = {"host": host, "image": scene.params["image"], "reason": str(error)}
        raise Failure(ImageCause.NO_PASSWORD, facts) from None


def _source_options(site: Site, planned: PlannedStep) -> dict[str, object]:
    """The options of the Azure CLI that say the same."""
    source = str(planned.params["source"])
    host, _, path = source.partition("/")
    entry = site.sources.get(host.casefold())
    if entry is None:
        return {"source": source, "registry": planned.params.get("source_registry")}
    if entry.resource_id:
        return {"source": path, "registry": entry.resource_id}
    password = Variable(entry.password_variable) if entry.password_variable else FileContent(entry.password_file)
    return {"source": source, "username": entry.username, "password": password}


@dataclass(frozen=True)
class _Tag:
    """The digest of the image's tag: empty where it is not there, None where the bot can't look."""

    digest: str | None
    login_server: str


async def _tag(scene: Scene, login_server: str = "") -> _Tag:
    """What the cloud registry has; its login server is asked for where it is not known.

    Raises `Failure` where the site file names another digest.
    """
    repository, _, name = scene.params["image"].rpartition(":")
    try:
        login_server = login_server or (await scene.azure.registries.get(scene.site.acr_ref)).login_server
        digest = (await scene.azure.images.get(scene.site.acr_ref, login_server, repository, name)).digest
    except Absent:
        return _Tag("", login_server)
    except DomainError:
        return _Tag(None, login_server)
    expected = scene.params.get("digest", digest)
    if digest != expected:
        facts = {"image": scene.params["image"], "digest": digest, "expected": expected}
        raise Failure(ImageCause.IMAGE_DIFFERS, {**facts, "registry": scene.site.acr_ref.name})
    return _Tag(digest, login_server)


REGISTER_PROVIDERS = register_providers("provider.register")
CREATE_ACR = create_registry("acr.create")
IMPORT_IMAGE = import_image("acr.import")
