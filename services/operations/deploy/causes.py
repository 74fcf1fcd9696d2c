"""Why a deployment may fail, beside what every kind of operation may fail of."""

from enum import StrEnum, auto


class Cause(StrEnum):
    """A deployment's own causes. `handlers.views.procedures.deploy` has a sentence and a remedy for each."""

    ADDRESS_TAKEN = auto()
    ADDRESS_OUTSIDE = auto()
    ADDRESS_LEASED = auto()
    ADDRESS_RANGE_FULL = auto()
    ADDRESS_RACE = auto()
    STORAGE_PENDING = auto()
    UNSCHEDULABLE = auto()
    NO_AMD64_NODE = auto()
    POD_SECURITY = auto()
    IMAGE_PULL = auto()
    BAD_PASSWORD = auto()
    TOKEN_DISABLED = auto()
    BAD_CONNECTION_STRING = auto()
    ALREADY_ACTIVATED = auto()
    FIREWALL = auto()
    DISK_ERROR = auto()
    UNHEALTHY = auto()
    CRASHING = auto()
    DATA_ENDPOINT_OFF = auto()
    CERT_MANAGER_CONFLICT = auto()
    CERT_MANAGER_ABSENT = auto()
    OWNERSHIP_CONFLICT = auto()
    NAME_IN_USE = auto()
    NAMESPACE_TERMINATING = auto()
    CHART_NOT_FOUND = auto()
    STATUS_NOT_POPULATED = auto()
    WRITE_RACE = auto()
    PROVIDER_MISSING = auto()
    CLUSTER_OFFLINE = auto()
    CLUSTER_EXPIRED = auto()
    INSTALLATION_FAILED = auto()
    SILENT_FAILURE = auto()
    GATEWAY_UNKNOWN = auto()
