"""What a creation is asked to do, and all words for what it sees."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, auto

from services.model.errors import Invalid
from services.operations.sync_settings import (
    Mode,
    valid_mode,
    valid_name,
    valid_repository,
    valid_schedule,
    valid_timing,
)
from services.policy.sites import Site, sync_actions


@dataclass(frozen=True)
class CreateOptions:
    """What somebody asks for; what is left out comes from the site.

    `parent` empty: the cloud registry itself. `sync_token` empty: a token of its own is created.
    """

    repositories: tuple[str, ...] = ()
    mode: str | None = None
    schedule: str | None = None
    window: timedelta | None = None
    message_ttl: timedelta | None = None
    parent: str = ""
    gc_enabled: bool | None = None
    gc_schedule: str | None = None
    audit_logs: bool | None = None
    sync_token: str = ""


@dataclass(frozen=True)
class CreateRequest:
    """A connected registry as it is to be. Scope map and sync token bear its name, as the Azure CLI has it.

    With a `sync_token` that exists already the repositories are those of its scope map, and none are named.
    """

    name: str
    repositories: tuple[str, ...]
    mode: Mode
    schedule: str
    window: timedelta | None
    message_ttl: timedelta
    log_level: str
    gc_enabled: bool
    gc_schedule: str
    audit_logs: bool
    parent: str
    sync_token: str

    @property
    def token_name(self) -> str:
        """Of the sync token."""
        return self.sync_token or self.name

    @property
    def actions(self) -> tuple[str, ...]:
        """Of its sync scope map, all of which those above it need too."""
        return sync_actions(self.name, self.mode, self.repositories)


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.create` has their sentences."""

    REGISTRY_READY = auto()
    REGISTRY_ABSENT = auto()
    REGISTRY_NOT_PREMIUM = auto()
    REGISTRY_BUSY = auto()
    DATA_ENDPOINT_OFF = auto()

    NAME_FREE = auto()
    CONNECTED_SAME = auto()
    CONNECTED_DIFFERS = auto()
    REPOSITORIES_DIFFER = auto()
    QUOTA_LEFT = auto()
    QUOTA_FULL = auto()
    PARENT_FITS = auto()
    PARENT_ABSENT = auto()
    PARENT_BUSY = auto()
    PARENT_MODE = auto()
    PARENT_WITHOUT_RIGHTS = auto()
    PERMISSIONS_FIT = auto()
    PERMISSIONS_TOO_MANY = auto()

    SCOPE_MAP_FREE = auto()
    SCOPE_MAP_SAME = auto()
    SCOPE_MAP_FOREIGN = auto()
    TOKEN_FREE = auto()
    TOKEN_SAME = auto()
    TOKEN_FOREIGN = auto()
    SYNC_TOKEN_FITS = auto()
    SYNC_TOKEN_ABSENT = auto()
    SYNC_TOKEN_DISABLED = auto()
    SYNC_TOKEN_USED = auto()
    SYNC_TOKEN_MAP_SHARED = auto()
    SYNC_TOKEN_RIGHTS = auto()
    SYNC_TOKEN_GATEWAYS = auto()
    REPOSITORIES_FOUND = auto()
    REPOSITORIES_EMPTY = auto()
    REPOSITORIES_EMPTY_FOR_NOW = auto()


def create_request(site: Site, name: str, options: CreateOptions) -> CreateRequest:
    """The options filled up from the site's defaults. Raises `Invalid` for a value that breaks a rule."""
    if options.sync_token and options.repositories:
        raise Invalid("sync_token", options.sync_token, "sync_token.repositories")
    named = () if options.sync_token else options.repositories or site.sync.repositories
    repositories = tuple(dict.fromkeys(map(valid_repository, named)))
    if not (repositories or options.sync_token):
        raise Invalid("repository", "", "repositories.none", {"site": site.name})
    request = CreateRequest(
        name=valid_name(name),
        repositories=repositories,
        mode=valid_mode(options.mode) if options.mode else site.sync.mode,
        schedule=valid_schedule(options.schedule) if options.schedule else site.sync.schedule,
        window=site.sync.window if options.window is None else options.window,
        message_ttl=site.sync.message_ttl if options.message_ttl is None else options.message_ttl,
        log_level=site.sync.log_level,
        gc_enabled=site.sync.gc_enabled if options.gc_enabled is None else options.gc_enabled,
        gc_schedule=valid_schedule(options.gc_schedule, "gc_schedule")
        if options.gc_schedule
        else site.sync.gc_schedule,
        audit_logs=site.sync.audit_logs if options.audit_logs is None else options.audit_logs,
        parent=options.parent,
        sync_token=options.sync_token,
    )
    valid_timing(request.schedule, request.window, request.message_ttl)
    return request
