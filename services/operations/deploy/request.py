"""What a deployment is asked to do: a request, filled up from the site's defaults. Pure."""

import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Literal

from services.model.errors import Invalid
from services.operations.connection_string import Protocol
from services.operations.sync_settings import valid_mode, valid_name, valid_repository, valid_schedule, valid_timing
from services.operations.tls import stated_tls
from services.policy.sites import Site, Tls

EXTENSION_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?")
"""It becomes the name of a Helm release: 53 characters of a DNS label at most."""
STORAGE_REQUEST = re.compile(r"([0-9]+)(Mi|Gi|Ti|Pi|Ei)")
_STORAGE_UNITS = {"Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}


@dataclass(frozen=True)
class DeployOptions:
    """What somebody asks for; what is left out comes from the site. Stored with the operation."""

    repositories: tuple[str, ...] = ()
    mode: str | None = None
    schedule: str | None = None
    window: timedelta | None = None
    message_ttl: timedelta | None = None
    service_ip: str | None = None
    storage_class: str | None = None
    storage_request: str | None = None
    extension_name: str | None = None
    wait_for_images: bool = False
    tls: Tls | None = None
    tls_secret: str = ""


NO_OPTIONS = DeployOptions()


@dataclass(frozen=True)
class DeployRequest:
    """A connected registry as it is wanted at a site.

    `name` is empty in a request about a site alone (`check SITE`). Scope map and sync token bear the registry's name,
    as the Azure CLI has it. `service_ip` None: one is picked; `storage_class` None: the cluster's default.
    """

    site: str
    name: str
    repositories: tuple[str, ...]
    repositories_named: bool
    """Whether somebody named them; else they are the site's."""
    mode: Literal["ReadOnly", "ReadWrite"]
    schedule: str
    window: timedelta | None
    message_ttl: timedelta
    log_level: str
    gc_enabled: bool
    gc_schedule: str
    audit_logs: bool
    service_ip: str | None
    storage_class: str | None
    storage_request: str
    extension_name: str
    release_train: str | None
    version: str | None
    trust_distribution: bool
    tls: Tls | None = None
    """How it is encrypted; None: nobody has said."""
    tls_secret: str = ""
    wait_for_images: bool = False
    parent_protocol: Protocol | None = None
    """By which it reaches the connected registry above it; None: that is not said."""

    @property
    def scope_map_name(self) -> str:
        """Of the sync scope map."""
        return self.name

    @property
    def token_name(self) -> str:
        """Of the sync token."""
        return self.name


def deploy_request(site: Site, name: str | None, options: DeployOptions = NO_OPTIONS) -> DeployRequest:
    """A request in which everything that was left out comes from the site. Without a name it is about the site alone.

    Raises:
        Invalid: a value breaks a rule; the rule's word tells which.
    """
    request = filled_up(site, name, options)
    if request.name and not request.repositories:
        raise Invalid("repository", "", "repositories.none", {"site": request.site})
    valid_timing(request.schedule, request.window, request.message_ttl)
    return request


def filled_up(site: Site, name: str | None, options: DeployOptions) -> DeployRequest:
    """The same where each value obeys its own rule; whether they fit together is not looked at."""
    fixed = site.extension.service_ip
    tls, tls_secret = stated_tls(site, options.tls, options.tls_secret)
    return DeployRequest(
        site=site.name,
        name=valid_name(name) if name is not None else "",
        repositories=tuple(dict.fromkeys(map(valid_repository, options.repositories or site.sync.repositories))),
        repositories_named=bool(options.repositories),
        mode=valid_mode(options.mode) if options.mode else site.sync.mode,
        schedule=valid_schedule(options.schedule) if options.schedule else site.sync.schedule,
        window=site.sync.window if options.window is None else options.window,
        message_ttl=site.sync.message_ttl if options.message_ttl is None else options.message_ttl,
        log_level=site.sync.log_level,
        gc_enabled=site.sync.gc_enabled,
        gc_schedule=site.sync.gc_schedule,
        audit_logs=site.sync.audit_logs,
        service_ip=_address(options.service_ip) if options.service_ip else str(fixed) if fixed else None,
        storage_class=options.storage_class or site.extension.storage_class,
        storage_request=_storage_request(options.storage_request)
        if options.storage_request
        else site.extension.storage_request,
        extension_name=_extension_name(options.extension_name or name or "connected-registry"),
        release_train=site.extension.release_train,
        version=site.extension.version,
        trust_distribution=site.extension.trust_distribution,
        tls=tls,
        tls_secret=tls_secret,
        wait_for_images=options.wait_for_images,
    )


def _extension_name(name: str) -> str:
    if not EXTENSION_NAME.fullmatch(name):
        raise Invalid("extension_name", name, "extension_name.pattern")
    return name


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise Invalid("service_ip", text, "address.pattern") from error


def _storage_request(text: str) -> str:
    if not storage_bytes(text):
        raise Invalid("storage_request", text, "storage_request.pattern")
    return text


@dataclass(frozen=True)
class ImageImport:
    """An image that the site imports. `source` has a tag or a digest: the service refuses both (azure-cli#14337).

    `tag` is the one that the import makes, `digest` what it then has to be; empty where any will do.
    """

    source: str
    tag: str
    digest: str = ""


def image_import(site: Site, repository: str) -> ImageImport | None:
    """Where the site's image of a repository comes from; None where it is not imported."""
    if (source := site.images.get(repository)) is None:
        return None
    reference, _, digest = source.partition("@")
    name, _, tag = reference.rpartition(":")
    return ImageImport(f"{name}@{digest}" if digest else source, tag, digest)


def storage_bytes(quantity: str) -> int | None:
    """Size of a volume such as `250Gi`; None for a quantity of another form (Kubernetes has more)."""
    match = STORAGE_REQUEST.fullmatch(quantity)
    return int(match[1]) * _STORAGE_UNITS[match[2]] if match else None


def site_names(site: Site, request: DeployRequest) -> dict[str, object]:
    """Facts for sentences and command lines."""
    return {**site.names, "name": request.name, "extension": request.extension_name}
