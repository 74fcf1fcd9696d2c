"""What Azure and the cluster show of one connected registry's installation, and why it does not work. Pure."""

from dataclasses import dataclass, replace

from services.model.azure import ArcCluster, ConnectedRegistry, Extension, Registry, Token
from services.model.errors import Failure
from services.model.kubernetes import Certificate, Runtime
from services.operations.answers import Answer, Known, known
from services.operations.deploy.diagnosis import at_site, diagnose
from services.policy.extensions import namespace_of
from services.policy.sites import Site


@dataclass(frozen=True)
class Installation:
    """A connected registry at a site in both planes. None as a value means: there is none."""

    site: Site
    registry: ConnectedRegistry
    extension: Extension
    """The one that serves it, whatever its name."""
    cluster: Answer[ArcCluster | None]
    token: Answer[Token | None]
    """The sync token; None also where it has none."""
    acr: Answer[Registry | None]
    runtime: Answer[Runtime]
    certificates: Answer[tuple[Certificate, ...]]

    @property
    def namespace(self) -> str:
        """Where it is installed."""
        return namespace_of(self.extension)

    @property
    def is_up(self) -> bool:
        """Whether the extension is installed and its Deployment runs."""
        runtime = known(self.runtime, Runtime())
        return self.extension.provisioning_state == "Succeeded" and runtime.deployment_available

    @property
    def failure(self) -> Failure | None:
        """Why it does not work, as far as the answers show it; None where nothing is known to be wrong."""
        failure = diagnose(
            self.extension,
            self.runtime.value if isinstance(self.runtime, Known) else None,
            self.registry,
            known(self.cluster, None),
            token=known(self.token, None),
            last=self.extension.provisioning_state.casefold() not in {"creating", "updating"},
        )
        if failure is None:
            return None
        failure = at_site(failure, self.site)
        acr = known(self.acr, None)
        hosts = (acr.login_server, *acr.data_endpoint_hosts) if acr else ()
        reached = tuple(dict.fromkeys(filter(None, (*hosts, self.registry.gateway_endpoint))))
        return replace(failure, facts={**failure.facts, "hosts": reached})
