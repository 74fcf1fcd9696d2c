"""The values that may have been meant by one that broke a rule; none where that can't be told."""

import re
import unicodedata
from collections.abc import Callable, Mapping

from pydantic import TypeAdapter, ValidationError

from services.policy.sites import CONNECTED_REGISTRY_NAME, ImageSource, Repository, registry_host

_REPOSITORY: TypeAdapter[str] = TypeAdapter(Repository)
_SOURCE: TypeAdapter[str] = TypeAdapter(ImageSource)


def registry_name(value: str) -> tuple[str, ...]:
    """`Edge01` or `edge-01` as a valid name of a connected registry."""
    # A letter that is no plain one is not dropped: without it the name would be another one's.
    unaccented = unicodedata.normalize("NFKD", value.lower())
    name = re.sub(r"[\W_]", "", "".join(filter(lambda letter: not unicodedata.combining(letter), unaccented)))
    return (name,) if CONNECTED_REGISTRY_NAME.fullmatch(name) else ()


def repositories(value: str) -> tuple[str, ...]:
    """The repositories in `hello-world:latest` or `Hello-World,nginx`, without tags."""
    hostless = [
        part.strip().lower().removeprefix(f"{registry_host(part.strip().lower())}/") for part in value.split(",")
    ]
    names = [re.sub(r"[:@].*", "", part) for part in hostless]
    return tuple(dict.fromkeys(filter(None, names)))


def without_host(value: str) -> tuple[str, ...]:
    """An image without the host of its registry, which is the connected registry's own."""
    return (value.removeprefix(f"{registry_host(value)}/"),)


def by_digest(value: str) -> tuple[str, ...]:
    """An image by its digest alone: that is what was looked at when somebody pinned it."""
    name, _, digest = value.partition("@")
    return (f"{name.partition(':')[0]}@{digest}",) if re.fullmatch(r"sha256:[0-9a-f]{64}", digest) else ()


def _taken(rule: TypeAdapter[str], value: str, corrected: str) -> tuple[str, ...]:
    """The corrected value, where the rule takes it."""
    try:
        rule.validate_python(value)
    except ValidationError:
        return ()
    return (corrected,)


def in_lower_case(value: str) -> tuple[str, ...]:
    """An image whose repository is in lower case; the tag keeps its letters."""
    name, colon, tag = value.partition(":")
    return _taken(_REPOSITORY, name.lower(), f"{name.lower()}{colon}{tag}")


def image_source(value: str) -> tuple[str, ...]:
    """An image source as Docker reads it: from Docker Hub where no host is named, and with the tag `latest`."""
    host, _, path = value.removeprefix("https://").removeprefix("http://").rpartition("/")
    if "." not in host and ":" not in host:
        host = f"docker.io/{host or 'library'}"
    elif host == "docker.io":
        host = "docker.io/library"
    name, _, tag = path.partition(":")
    source = f"{host.lower()}/{name.lower()}:{tag or 'latest'}"
    return _taken(_SOURCE, source, source)


def size(value: str) -> tuple[str, ...]:
    """`250GB`, `250 gi` or `250` in the form of Kubernetes."""
    match = re.fullmatch(r"([1-9][0-9]*)\s*([mgt]?)i?b?", value.lower())
    return (f"{match[1]}{(match[2] or 'g').upper()}i",) if match else ()


def label(value: str) -> tuple[str, ...]:
    """`Edge_01` as a DNS label."""
    joined = re.sub(r"[_.\s]+", "-", value.lower()).strip("-")
    return (joined,) if re.fullmatch(r"[a-z0-9-]{1,53}", joined) else ()


INTENDED: Mapping[str, Callable[[str], tuple[str, ...]]] = {
    "name.pattern": registry_name,
    "repository.pattern": repositories,
    "image.host": without_host,
    "image.both": by_digest,
    "image.pattern": in_lower_case,
    "site_file.rule of image": image_source,
    "namespace.pattern": label,
    "workload.pattern": label,
    "storage_request.pattern": size,
    "extension_name.pattern": label,
}
"""By the rule that a value broke, or the rule and the field where several fields have it: what may have been meant."""
