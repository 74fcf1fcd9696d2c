"""Checks of how the registry at the edge is encrypted."""

from services.model.plan import Finding
from services.operations.checks import blocker, check, warning
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest
from services.operations.tls import TlsCode, installed_tls
from services.policy.sites import RUNTIME_NAMESPACE, Site


@check("extension.tls", title="Encryption of what nodes pull", essential=True)
def encryption(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """An extension that works keeps its own way, which `extension update` changes in place."""
    own, tls = observation.own_extension(request.name), observation.tls(request)
    if own is not None and own.provisioning_state == "Succeeded":
        installed = installed_tls(own)
        if tls == installed:
            return None
        return blocker(TlsCode.TLS_DIFFERS, extension=own.name, installed=installed, wanted=tls)
    if tls == "http":
        return warning(TlsCode.PLAIN_HTTP)
    if tls != "secret":
        return None
    if not request.tls_secret:
        return blocker(TlsCode.TLS_SECRET_UNNAMED)
    return warning(TlsCode.TLS_SECRET_UNSEEN, secret=request.tls_secret, namespace=RUNTIME_NAMESPACE)


@check("tls.certificate", title="Certificate of the site's own", essential=True)
def certificate(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """Nodes pull by the Service address that the plan gives to the extension."""
    own = observation.own_extension(request.name)
    is_installed = own is not None and own.provisioning_state == "Succeeded"
    if is_installed or observation.tls(request) != "certificate":
        return None
    return observation.certificate_finding(*filter(None, (observation.address(request),)))
