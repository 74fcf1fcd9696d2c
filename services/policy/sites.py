"""Sites: the named places in the configuration, and the rules on their values."""

import re
from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from services.model.azure import AcrRef, ClusterRef
from services.model.errors import Invalid
from services.policy import cron

MESSAGE_TTL = (timedelta(days=1), timedelta(days=90))
"""Bounds of the service for how long undelivered messages are kept (Learn: intro-connected-registry)."""
SYNC_WINDOW = (timedelta(hours=1), timedelta(days=7))
"""Documented bounds of the sync window; the service has the last word, its own tools disagree on the lower one."""
IPV4 = 4
GC_SCHEDULE = "0 0 * * *"
"""When garbage is collected unless somebody says otherwise: every midnight, as the Azure CLI has it."""
CONTINUOUS = "* * * * *"
"""The schedule of a connected registry that syncs all the time, and the default."""

CONNECTED_REGISTRY_NAME = re.compile(r"[a-z][a-z0-9]{4,39}")
"""Satisfies the spec (5 to 50 letters and digits), the portal (5 to 40, a letter first) and old runtimes, which could
not be activated with upper case in the name."""


def registry_host(name: str) -> str:
    """The host of a registry before a repository, empty without one: an ACR, an edge's address, or one with a port.

    Other names with a point may be repositories: people keep images of `docker.io/library/nginx` under that name.
    """
    host, slash, _ = name.partition("/")
    is_host = ":" in host or re.search(r"\.azurecr\.(io|cn|us)$", host) or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", host)
    return host if slash and is_host else ""


def _repository(name: str) -> str:
    if registry_host(name):
        raise ValueError("a repository stands without the host of its registry, such as `team/app`")
    if not re.fullmatch(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*", name):
        raise ValueError("a repository is lower case, such as `hello-world` or `team/app`, and has no tag")
    return name


def _image(name: str) -> str:
    if "://" in name:
        raise ValueError("an image source begins with its host, without `https://`")
    host, slash, path = name.partition("/")
    if not slash or ("." not in host and ":" not in host):
        raise ValueError("an image source has host, repository and tag, such as `mcr.microsoft.com/hello-world:latest`")
    if host.partition(":")[0] == "localhost":
        raise ValueError("Azure fetches the image itself, so a registry on this machine can't be its source")
    reference, at, digest = path.partition("@")
    repository, _, tag = reference.rpartition(":")
    if not repository or not tag:
        raise ValueError("an image source names the tag that the import makes, before a digest too: `HOST/NAME:TAG`")
    if at and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ValueError("a digest is `sha256:` and 64 hexadecimal digits")
    if repository != repository.lower():
        raise ValueError(f"a repository is lower case: `{host}/{repository.lower()}:{tag}`")
    _repository(repository)
    if host in _DOCKER_HUB and "/" not in repository:
        # Without it the answer is "unauthorized", which reads like a password problem (Azure/acr#196, #457).
        raise ValueError("Docker Hub's own images are below `library/`, such as `docker.io/library/python:3.12`")
    return name


def _host(name: str) -> str:
    bare = name.removeprefix("https://").partition("/")[0]
    if bare != name:
        raise ValueError(f"a registry stands here by its host alone: `{bare}`")
    if "." not in name and ":" not in name:
        raise ValueError("a registry stands here by its host, such as `registry.example.com`")
    return name.casefold()


def _registry_id(arm_id: str) -> str:
    if not re.fullmatch(REGISTRY_ID, arm_id, re.IGNORECASE):
        raise ValueError("that is no ARM id of a registry: `az acr show --name NAME --query id` prints it")
    return arm_id


REGISTRY_ID = (
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ContainerRegistry/registries/[A-Za-z0-9]{5,50}"
)


def _cron(expression: str) -> str:
    fields = expression.split()
    if len(fields) != len(_CRON):
        raise ValueError("a schedule has five fields: minute, hour, day of month, month, day of week")
    for text, (name, low, high) in zip(fields, _CRON, strict=True):
        numbers = [int(number) for part in text.split(",") for number in re.findall(r"\d+", part.partition("/")[0])]
        if not re.fullmatch(r"[\d*,/A-Za-z-]+", text) or not all(low <= number <= high for number in numbers):
            raise ValueError(f"the {name} of a schedule lies between {low} and {high}")
    try:
        read = cron.parse(expression)
    except Invalid as fault:
        near = "".join(f"; did you mean `{line}`?" for line in fault.facts["near"][:1])
        raise ValueError(f"a schedule has to be due some day, by steps and ranges within its fields{near}") from None
    if read.last_day or read.nth_weekday:
        raise ValueError("a schedule that is stored in Azure has no `L`")
    return expression


def _plain_name(name: str) -> str:
    """Raises `ValueError` for an ARM id in the place of a name: the last part of it is the name."""
    if "/" in name:
        last = name.rstrip("/").rpartition("/")[2]
        right = f"; the name is `{last}`" if re.fullmatch(r"[\w.()-]+", last) else ""
        raise ValueError(f"that is an ARM id{right}")
    return name


def _group(name: str) -> str:
    """The characters that Azure allows (Learn: resource-name-rules); letters may be of any alphabet."""
    _plain_name(name)
    if not re.fullmatch(r"[\w.()-]{1,90}", name) or name.endswith("."):
        raise ValueError(
            "the name of a resource group is up to 90 letters, digits, `_`, `-`, `.` and parentheses, and does not end"
            " with a point: `az group list --output table`"
        )
    return name


def _site_name(name: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
        return name
    right = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    hint = f", such as `{right}`" if re.fullmatch(r"[a-z][a-z0-9-]{0,39}", right) else ""
    raise ValueError(f"a site's name is up to 40 lower-case letters, digits and dashes, a letter first{hint}")


def _environment(name: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9-]*", name):
        return name
    right = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    hint = right if re.fullmatch(r"[a-z][a-z0-9-]*", right) else "production"
    raise ValueError(f"an environment is a word in lower case, such as `{hint}`")


def _size(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]*(Ei|Pi|Ti|Gi|Mi)", text):
        number = re.match(r"[1-9][0-9]*", text)
        raise ValueError(
            f"a size is a number with `Mi`, `Gi`, `Ti`, `Pi` or `Ei`, such as `{(number or ['250'])[0]}Gi`"
        )
    return text


def _acr_name(name: str) -> str:
    bare_host = name.removeprefix("https://").rstrip("/")
    if re.fullmatch(r"[A-Za-z0-9]+(-[a-z0-9]+)?\.azurecr\.[a-z]+", bare_host):
        name = bare_host
    _plain_name(name)
    first = re.match(r"[A-Za-z0-9]*", name)
    bare = first[0] if first else ""
    if not re.fullmatch(r"[A-Za-z0-9]{5,50}", bare):
        raise ValueError("the name of a registry is 5 to 50 letters and digits")
    if re.fullmatch(r"-[a-z0-9]+(\..*)?|\.azurecr\..*", name.removeprefix(bare)):
        raise ValueError(f"that is the login server; the name is `{bare}`")
    if bare != name:
        raise ValueError("the name of a registry is 5 to 50 letters and digits")
    return name


def _subscription(identifier: str) -> str:
    """As the portal, the CLI or an ARM id has it."""
    try:
        return str(UUID(identifier.strip().removeprefix("/subscriptions/")))
    except ValueError:
        raise ValueError("a subscription is given by its id: `az account list --output table` shows it") from None


def _region(name: str) -> str:
    """The short form of a region; Azure's pages show `West Europe` or `(Europe) West Europe` for `westeurope`."""
    short = re.sub(r"^\([^)]*\)", "", name).replace(" ", "").lower()
    if not re.fullmatch(r"[a-z]+[a-z0-9]*", short):
        raise ValueError("a region is a word such as `westeurope`: `az account list-locations --output table`")
    return short


def _network(text: object) -> object:
    try:
        return ip_network(str(text))
    except ValueError:
        raise ValueError("a Service range has its network address and a prefix, such as `10.96.0.0/16`") from None


def _service_address(text: object) -> object:
    try:
        return ip_address(str(text))
    except ValueError:
        raise ValueError("a Service address is an IP address such as `10.96.0.20`") from None


_CRON = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
PUBLIC_HOSTS = frozenset({"mcr.microsoft.com", "docker.io", "quay.io", "ghcr.io", "registry.k8s.io"})
"""Registries that are nobody's ACR, most of whose images everybody may read."""
_DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})

Repository = Annotated[str, AfterValidator(_repository)]
ImageSource = Annotated[str, AfterValidator(_image)]
Host = Annotated[str, AfterValidator(_host)]
Region = Annotated[str, AfterValidator(_region)]
Schedule = Annotated[str, AfterValidator(_cron)]
Environment = Annotated[str, AfterValidator(_environment)]
ResourceGroup = Annotated[str, AfterValidator(_group)]
Subscription = Annotated[str, AfterValidator(_subscription)]
IdentityName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
PlainName = Annotated[str, AfterValidator(_plain_name)]
ServiceRange = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Address = IPv4Address | IPv6Address
ServiceAddress = Annotated[Address, BeforeValidator(_service_address)]
Access = Literal["kubeconfig", "arc", "none"]
"""The ways to a cluster's API server: a kubeconfig (or the bot's own cluster), the kubeconfig of an Arc proxy that runs
beside the bot, or none at all."""


class _Values(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class _Named(_Values):
    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, values: object) -> object:
        """A name alone reads like the right thing, but has no room for other keys."""
        if isinstance(values, str):
            raise ValueError(f"a mapping has to stand here, such as `{{name: {values}}}`")  # noqa: TRY004 - pydantic's
        return values


class Acr(_Named):
    """The cloud registry of a site."""

    name: Annotated[str, AfterValidator(_acr_name)] = Field(description="Name of the ACR.")
    subscription: Subscription | None = Field(None, description="Its subscription, where it differs from the site's.")
    resource_group: ResourceGroup | None = Field(
        None, description="Its resource group, where it differs from the site's."
    )
    identity: IdentityName | None = Field(None, description="The identity for it, where it differs from the site's.")
    create_in: Region | None = Field(
        None,
        description="Azure region in which `deploy` creates the ACR (Premium) where there is none; else that blocks.",
    )


class SourceRegistry(_Values):
    """How an import reads in a registry that does not let everybody."""

    resource_id: Annotated[str, AfterValidator(_registry_id)] | None = Field(
        None, description="ARM id of an ACR: Azure reads there with the rights of the bot's identity."
    )
    username: str = Field("", description="Of the registry's own credentials.")
    password_variable: str = Field("", description="Environment variable of the bot that holds the password.")
    password_file: str = Field("", description="File that holds the password.")

    @model_validator(mode="after")
    def _one_way(self) -> "SourceRegistry":
        has_credentials = bool(self.username) and bool(self.password_variable) is not bool(self.password_file)
        is_bare = not (self.username or self.password_variable or self.password_file)
        if not (is_bare if self.resource_id else has_credentials):
            raise ValueError(
                "`resource_id`, or `username` with `password_variable` or `password_file`, says how to read there"
            )
        return self


class KubernetesAccess(_Values):
    """How the bot reaches the cluster's API server."""

    kubeconfig: str = Field(
        "", description="Path of a kubeconfig; empty: `KUBECONFIG`, the home folder's, or in-cluster."
    )
    context: str = Field("", description="Context in it; empty only where the kubeconfig has no other one.")
    hold_namespace: str = Field(
        "default",
        description="Namespace in which the placeholder Service proves an address free for the length of a deployment.",
    )
    reader_image: str = Field(
        "mcr.microsoft.com/azurelinux/distroless/python:3.12",
        description="Image with Python 3.10 or newer, for the Jobs that ask a connected registry what it has.",
    )
    reader_namespace: str = Field(
        "default",
        description="Namespace of the Jobs and the Secret by which an operation waits for images.",
    )


class ClusterFacts(_Values):
    """What the bot would ask a cluster, stated by somebody who can: for sites with `access: none`."""

    service_range: ServiceRange = Field(description="The cluster's Service range, such as 10.96.0.0/16.")
    addresses: tuple[ServiceAddress, ...] = Field(
        description="Addresses of that range which no Service has; a deployment takes the first that is left.",
        min_length=1,
    )
    cert_manager: bool = Field(description="Whether cert-manager is installed; if not, the extension brings its own.")

    @field_validator("addresses")
    @classmethod
    def _can_be_a_services(cls, addresses: tuple[Address, ...], info: ValidationInfo) -> tuple[Address, ...]:
        """Inside the range, and none that no Service can have."""
        if "service_range" not in info.data:
            return addresses  # its own error is reported already
        service_range: IPv4Network | IPv6Network = info.data["service_range"]
        for address in addresses:
            if address not in service_range:
                raise ValueError(f"{address} is outside of `service_range`, {service_range}")
            if address == service_range[0] or (address.version == IPV4 and address == service_range[-1]):
                raise ValueError(f"{address} is the network or broadcast address of {service_range}")
            if address == service_range[1]:
                # The API server's own Service has it (kubernetes.io, Service ClusterIP allocation).
                raise ValueError(f"{address} is the address of the API server's own Service; choose another one")
        if duplicate := next((address for address in addresses if addresses.count(address) > 1), None):
            raise ValueError(f"{duplicate} appears twice")
        return addresses


class ClusterSite(_Named):
    """The Arc-enabled cluster of a site."""

    name: PlainName = Field(description="Name of the connectedClusters resource.")
    subscription: Subscription | None = Field(None, description="Its subscription, where it differs from the site's.")
    resource_group: ResourceGroup | None = Field(
        None, description="Its resource group, where it differs from the site's."
    )
    identity: IdentityName | None = Field(None, description="The identity for it, where it differs from the site's.")
    kubernetes: KubernetesAccess = Field(default_factory=KubernetesAccess)
    facts: ClusterFacts | None = Field(None, description="What the bot can't ask where `access` is `none`.")


class Sync(_Values):
    """Defaults of the connected registries that are deployed to a site."""

    mode: Literal["ReadOnly", "ReadWrite"] = Field("ReadOnly", description="It can't be changed after creation.")
    schedule: Schedule = Field(CONTINUOUS, description="Cron expression in UTC; every minute is continuous.")
    window: timedelta | None = Field(
        None, description="ISO 8601 duration for which a scheduled sync stays open, such as PT3H."
    )
    message_ttl: timedelta = Field(
        timedelta(days=2), description="ISO 8601 duration for which undelivered messages are kept."
    )
    log_level: Literal["Debug", "Information", "Warning", "Error", "None"] = Field("Information")
    audit_logs: bool = Field(False, description="Whether audit logs are sent.")
    gc_enabled: bool = Field(True, description="Whether garbage is collected.")
    gc_schedule: Schedule = Field(GC_SCHEDULE, description="Cron expression in UTC for that.")
    repositories: tuple[Repository, ...] = Field(
        (), description="Repositories to sync when `--repository` is not given."
    )

    @model_validator(mode="after")
    def _bounds(self) -> "Sync":
        if not MESSAGE_TTL[0] <= self.message_ttl <= MESSAGE_TTL[1]:
            raise ValueError("message_ttl lies between P1D and P90D")
        if self.window is not None and not SYNC_WINDOW[0] <= self.window <= SYNC_WINDOW[1]:
            raise ValueError("window lies between PT1H and P7D")
        if self.schedule != CONTINUOUS and self.window is None:
            raise ValueError("a schedule that is not continuous (`* * * * *`) needs a window, such as PT3H")
        return self


class OwnCertificate(_Values):
    """A certificate of one's own for the registry at the edge: files in PEM on the bot's machine."""

    certificate_file: str = Field(
        description="File with the certificate, then those between it and the authority.", min_length=1
    )
    key_file: str = Field("", description="File that holds its private key, without a password.")
    key_variable: str = Field("", description="Environment variable of the bot that holds the private key.")
    ca_file: str = Field(
        "", description="File with the authority's certificate, which nodes trust; without it a self-signed one."
    )

    @model_validator(mode="after")
    def _one_key(self) -> "OwnCertificate":
        if bool(self.key_file) is bool(self.key_variable):
            raise ValueError("`key_file` or `key_variable` says where the private key is")
        return self


SECRET_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
"""Of a Secret in Kubernetes."""
Tls = Literal["cert-manager", "certificate", "secret", "http"]
"""The ways to encrypt what is pulled: a certificate by cert-manager, one's own, one in a Secret, or none at all."""


class ExtensionSettings(_Values):
    """Settings of the Arc extension at a site."""

    service_ip: ServiceAddress | None = Field(None, description="Fixed Service IP; without it a free one is picked.")
    storage_class: str | None = Field(
        None, description="`pvc.storageClassName`; without it the cluster's default class."
    )
    storage_request: Annotated[str, AfterValidator(_size)] = Field("250Gi", description="`pvc.storageRequest`.")
    release_train: str | None = Field(None, description="Release train; without it the service's default (Stable).")
    version: str | None = Field(
        None, description="Pinned version; without it the newest minor version, upgraded by the service."
    )
    trust_distribution: bool = Field(
        True, description="Let nodes trust the registry's certificate (`trustDistribution.enabled`)."
    )
    tls: Tls | None = Field(
        None,
        description="How a new installation is encrypted where nobody names a way; without it by cert-manager.",
    )
    tls_secret: str = Field(
        "", description="With `tls: secret` the Secret in the namespace of the extension that holds the certificate."
    )
    certificate: OwnCertificate | None = Field(
        None, description="The certificate that `tls: certificate` and `--tls certificate` hand to the extension."
    )

    @model_validator(mode="after")
    def _tls_has_its_certificate(self) -> "ExtensionSettings":
        if self.tls == "certificate" and self.certificate is None:
            raise ValueError("`tls: certificate` needs `certificate`, which names the files")
        if (self.tls == "secret") is not bool(self.tls_secret):
            raise ValueError("`tls: secret` and `tls_secret`, the name of the Secret, belong together")
        if self.tls_secret and not SECRET_NAME.fullmatch(self.tls_secret):
            raise ValueError("the name of a Secret is lower-case letters, digits, `-` and `.`")
        return self


class Site(_Values):
    """A named place: one Arc-enabled cluster, the ACR it syncs from, the access to it, its environment and defaults."""

    name: Annotated[str, AfterValidator(_site_name)] = Field(description="What people type.")
    description: str = Field("", description="Shown in lists.")
    environment: Environment = Field(description="Such as `development` or `production`; the policy's rules name it.")
    subscription: Subscription = Field(
        description="Id of the subscription of the ACR and the cluster unless they name their own."
    )
    resource_group: ResourceGroup = Field(
        description="Resource group of the ACR and the cluster unless they name their own."
    )
    identity: IdentityName | None = Field(
        None, description="Which identity of `REGISTRY_BOT_IDENTITIES` works in Azure for this site."
    )
    acr: Acr
    access: Access = Field(
        "kubeconfig",
        description=(
            "`kubeconfig`: the bot asks the cluster's API server; `arc`: it does so through an Arc proxy beside it;"
            " `none`: it asks Azure alone."
        ),
    )
    cluster: ClusterSite
    sync: Sync = Field(default_factory=Sync)
    extension: ExtensionSettings = Field(default_factory=ExtensionSettings)
    images: dict[Repository, ImageSource] = Field(
        default_factory=dict,
        description="Where `deploy` imports a repository's image from, as repository: source with tag.",
    )

    sources: dict[Host, SourceRegistry] = Field(
        default_factory=dict, description="How imports read in registries that don't let everybody, by their host."
    )

    @model_validator(mode="after")
    def _sources_are_used(self) -> "Site":
        hosts = {image.partition("/")[0].casefold() for image in self.images.values()}
        if unused := sorted(self.sources.keys() - hosts):
            raise ValueError(f"`sources` names {unused[0]}, but no entry of `images` comes from there")
        return self

    @model_validator(mode="after")
    def _access_and_facts(self) -> "Site":
        facts, fixed = self.cluster.facts, self.extension.service_ip
        if self.access != "none" and facts is not None:
            raise ValueError("`cluster.facts` belongs to `access: none`; with a kubeconfig the bot asks the cluster")
        if self.access == "arc" and not self.cluster.kubernetes.kubeconfig:
            raise ValueError(
                "`access: arc` needs `cluster.kubernetes.kubeconfig`: the file that `az connectedk8s proxy --file`"
                " writes"
            )
        if self.access == "none" and facts is None:
            raise ValueError(
                "`access: none` needs `cluster.facts` with `service_range`, `addresses` and `cert_manager`:"
                " the bot can't ask the cluster for them"
            )
        if self.access == "none" and "kubernetes" in self.cluster.model_fields_set:
            raise ValueError(
                "`cluster.kubernetes` says how to reach the cluster, and `access: none` that the bot does not:"
                " remove one of them"
            )
        if facts is not None and fixed is not None and fixed not in facts.addresses:
            raise ValueError(f"`extension.service_ip` {fixed} is not among `cluster.facts.addresses`")
        return self

    @property
    def acr_ref(self) -> AcrRef:
        """The cloud registry's name in ARM."""
        acr = self.acr
        return AcrRef(acr.subscription or self.subscription, acr.resource_group or self.resource_group, acr.name)

    @property
    def names(self) -> dict[str, object]:
        """What its things are called: facts for sentences and command lines."""
        acr, cluster = self.acr_ref, self.cluster_ref
        return {
            "site": self.name,
            "registry": acr.name,
            "group": acr.resource_group,
            "subscription": acr.subscription,
            "cluster": cluster.name,
            "cluster_group": cluster.resource_group,
            "cluster_subscription": cluster.subscription,
        }

    @property
    def cluster_ref(self) -> ClusterRef:
        """The cluster's name in ARM."""
        cluster = self.cluster
        group = cluster.resource_group or self.resource_group
        return ClusterRef(cluster.subscription or self.subscription, group, cluster.name)

    def subscription_of(self, provider: str) -> str:
        """The subscription in which the site needs a resource provider, by its namespace."""
        ref = self.acr_ref if provider == REGISTRY_PROVIDER else self.cluster_ref
        return ref.subscription

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The registry's and the cluster's, each once."""
        return tuple(dict.fromkeys((self.acr_ref.subscription, self.cluster_ref.subscription)))


RUNTIME_NAMESPACE = "connected-registry"
"""Release namespace of the extension (Learn: quickstart-connected-registry-arc-cli)."""
EXTENSION_TYPE = "microsoft.containerregistry.connectedregistry"
REGISTRY_PROVIDER = "Microsoft.ContainerRegistry"
PROVIDERS = (
    "Microsoft.Kubernetes",
    "Microsoft.KubernetesConfiguration",
    "Microsoft.ExtendedLocation",
    REGISTRY_PROVIDER,
)
"""What a deployment needs: the last one in the registry's subscription, the others in the cluster's."""
CONNECTED_REGISTRIES_TYPE = "Microsoft.ContainerRegistry/registries/connectedRegistries"
"""Their resource type in ARM."""
CONNECTED_REGISTRIES_PER_ACR = 50
"""Documented quota (Learn: intro-connected-registry)."""
CLIENTS_PER_REGISTRY = 50
"""Client tokens that a connected registry may list (Learn: intro-connected-registry)."""
SCOPE_MAP_PERMISSIONS = 500
"""Documented ceiling of a scope map's actions (Learn: intro-connected-registry)."""


def synced_repositories(actions: Iterable[str]) -> tuple[str, ...]:
    """The repositories that a scope map's actions are about, sorted."""
    repositories = (action.partition("/")[2] for action in actions if action.startswith("repositories/"))
    return tuple(sorted({action.rsplit("/", 2)[0] for action in repositories}))


def repository_actions(mode: str, repositories: Iterable[str]) -> tuple[str, ...]:
    """What a connected registry of a mode needs on repositories, sorted: two actions each, or five with pushes.

    As the Azure CLI builds them: in lower case.
    """
    verbs = ["content/read", "metadata/read"]
    if mode == "ReadWrite":
        verbs += ["content/write", "content/delete", "metadata/write"]
    return tuple(sorted(f"repositories/{repository.lower()}/{verb}" for repository in repositories for verb in verbs))


def gateway_actions(name: str) -> tuple[str, ...]:
    """The four by which connected registry `name` exchanges its messages with the cloud, sorted."""
    verbs = ("config/read", "config/write", "message/read", "message/write")
    return tuple(f"gateway/{name.lower()}/{verb}" for verb in verbs)


def sync_actions(name: str, mode: str, repositories: tuple[str, ...]) -> tuple[str, ...]:
    """Actions of the sync scope map of connected registry `name`, sorted."""
    return (*gateway_actions(name), *repository_actions(mode, repositories))


def sync_description(name: str) -> str:
    """Of the sync scope map of connected registry `name`."""
    return f"Created by the registry bot for the sync of connected registry {name}."
