"""Words of workloads' findings and failures. `handlers.views.procedures.workload` has a sentence for each."""

from enum import StrEnum, auto


class Code(StrEnum):
    """The outcome of a check."""

    INSTALLED = auto()
    NOT_INSTALLED = auto()
    TRUST_OFF = auto()
    ONLINE = auto()
    NOT_ACTIVATED = auto()
    OFFLINE = auto()
    OFFLINE_BY_SCHEDULE = auto()
    CLIENTS_FULL = auto()
    REPOSITORY_SYNCED = auto()
    REPOSITORY_NOT_SYNCED = auto()
    IMAGE_FOUND = auto()
    REPOSITORY_ABSENT = auto()
    IMAGE_ABSENT = auto()
    TOKEN_FREE = auto()
    TOKEN_REUSED = auto()
    TOKEN_FOREIGN = auto()
    TOKEN_DISABLED = auto()
    TOKEN_ELSEWHERE = auto()
    TOKEN_NOT_LINKED = auto()
    TOKEN_SHARED = auto()
    OUT_OF_CONTACT = auto()
    ROTATION_RIGHTS_MISSING = auto()
    KUBERNETES_REACHED = auto()
    RIGHTS_COMPLETE = auto()
    RIGHTS_MISSING = auto()
    NAMESPACE_USABLE = auto()
    NAMESPACE_ABSENT = auto()
    NAMESPACE_TERMINATING = auto()
    MANIFEST_TAKEN = auto()
    MANIFEST_REFUSED = auto()
    PLATFORM_FITS = auto()
    PLATFORM_OF_SOME_NODES = auto()
    PLATFORM_OF_NO_NODE = auto()
    WORKLOAD_FREE = auto()
    WORKLOAD_REUSED = auto()
    WORKLOAD_CHANGES = auto()
    WORKLOAD_FOREIGN = auto()
    WORKLOAD_OF_ANOTHER_REGISTRY = auto()
    WORKLOAD_FOUND = auto()
    WORKLOAD_ABSENT = auto()


class Cause(StrEnum):
    """Why it failed, beside what every kind of operation may fail of. Stored, so a word never changes."""

    TOKEN_NOT_SYNCED = auto()
    UNTRUSTED_CERTIFICATE = auto()
    PLAIN_HTTP = auto()
    PULL_UNAUTHORIZED = auto()
    IMAGE_NOT_AT_EDGE = auto()
    EDGE_UNREACHABLE = auto()
    WRONG_ARCHITECTURE = auto()
    DIGEST_DIFFERS = auto()
    NO_NODE = auto()
    QUOTA_EXCEEDED = auto()
    PODS_REFUSED = auto()
    PULL_FAILED = auto()
    WORKLOAD_GONE = auto()
    PASSWORD_NOT_ACCEPTED = auto()
