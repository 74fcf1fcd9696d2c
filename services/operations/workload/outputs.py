"""What the steps hand on to later steps and to people. No secret is among it."""

from dataclasses import dataclass

from services.operations.outputs import TokenLinked


@dataclass(frozen=True)
class PullSecretMade:
    """The Secret with a fresh password; the workload does not use it before its next step."""

    name: str


@dataclass(frozen=True)
class ImagePulled:
    """So many Pods have the image with the cloud's digest. `exit_code` is of a container that has ended, else None."""

    digest: str
    nodes: tuple[str, ...]
    pods: int
    exit_code: int | None = None


VALUES = {
    "workload.token_linked": TokenLinked,
    "workload.pull_secret_made": PullSecretMade,
    "workload.image_pulled": ImagePulled,
}
"""By the tag that is stored, which never changes."""
