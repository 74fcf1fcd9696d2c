"""What a registration is asked to do, and all words for what it sees."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum, auto

from services.model.errors import Invalid
from services.policy.sites import PROVIDERS, Site


@dataclass(frozen=True)
class ProviderOptions:
    """Which resource providers; empty: all that connected registries need."""

    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProviderRequest:
    """`name` is the site's: a subscription is known by it."""

    name: str
    namespaces: tuple[str, ...]


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.providers` has their sentences."""

    REGISTERED = auto()
    TO_REGISTER = auto()


def provider_request(_site: Site, name: str, options: ProviderOptions) -> ProviderRequest:
    """Raises `Invalid` for a resource provider that connected registries don't need: the bot has no right to it."""
    by_name = {namespace.casefold(): namespace for namespace in PROVIDERS}
    for namespace in options.namespaces:
        if namespace.casefold() not in by_name:
            near = get_close_matches(namespace, PROVIDERS, n=1)
            raise Invalid("namespace", namespace, "namespace.unknown", {"near": near, "choices": PROVIDERS})
    namespaces = tuple(by_name[namespace.casefold()] for namespace in options.namespaces) or PROVIDERS
    return ProviderRequest(name, tuple(dict.fromkeys(namespaces)))
