"""The values of a site, with the keys under which the site file has them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from services.policy.sites import Site


@dataclass(frozen=True)
class SiteValue:
    """A value that is in force at a site.

    `key` is its place in the site's entry, such as `sync.schedule` or `images.hello-world`. `is_default`: the site
    file does not have the key, so what the bot uses stands here; None or empty where that is decided elsewhere.
    """

    key: str
    value: object
    is_default: bool


def values_of(site: Site) -> Iterator[SiteValue]:
    """Every value of a site in the order of the documentation, without those that only another `access` needs."""
    for value in _values(site, ""):
        is_way_to_the_cluster = value.key.startswith("cluster.kubernetes.")
        if value.key != "name" and not (is_way_to_the_cluster and site.access == "none"):
            yield value


def _values(model: BaseModel, above: str) -> Iterator[SiteValue]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        entries = value.items() if isinstance(value, Mapping) and value else [("", value)]
        for entry, inner in entries:
            key = f"{above}{name}.{entry}" if entry else f"{above}{name}"
            if isinstance(inner, BaseModel):
                yield from _values(inner, f"{key}.")
            else:
                yield SiteValue(key, inner, name not in model.model_fields_set)
