"""What of an extension has to change for what is asked for. Pure."""

from dataclasses import dataclass

from services.model.azure import Extension
from services.operations.answers import known
from services.operations.extension_steps import CONNECTION_STRING
from services.operations.extension_update.observation import Observation
from services.operations.extension_update.request import ExtensionUpdateRequest
from services.policy.extensions import CERT_MANAGER_INSTALL, DEFAULTS, OWN_CERTIFICATE, TLS_SECRET

_CERTIFICATE = OWN_CERTIFICATE | {TLS_SECRET}


@dataclass(frozen=True)
class Change:
    """Old and new values by setting and by part of the release.

    `replaces_secrets`: another certificate takes the place of one whose name or key is among the protected settings.
    `lost_secrets` are protected settings that nobody could send again then.
    """

    extension: Extension
    settings: dict[str, tuple[str, str]]
    release: dict[str, tuple[object, object]]
    replaces_secrets: bool
    lost_secrets: tuple[str, ...]

    def sets(self, key: str, value: str) -> bool:
        """Whether the setting is to become this."""
        return self.settings.get(key, ("", ""))[1] == value


def change_of(request: ExtensionUpdateRequest, observation: Observation) -> Change | None:
    """None where there is no extension, or it is as asked for. One that has failed is sent what is asked for again."""
    extension = observation.extension(request.name)
    if extension is None:
        return None
    secrets, tls = set(extension.secrets), request.options.tls
    change = Change(
        extension,
        _settings(request, observation, extension),
        _release(request, extension),
        tls in {"secret", "certificate"} or (tls == "cert-manager" and bool(secrets & _CERTIFICATE)),
        tuple(sorted(secrets - _CERTIFICATE - {CONNECTION_STRING})),
    )
    is_any = change.settings or change.release or change.replaces_secrets
    return change if is_any or extension.provisioning_state != "Succeeded" else None


def _settings(
    request: ExtensionUpdateRequest, observation: Observation, extension: Extension
) -> dict[str, tuple[str, str]]:
    """A setting that the extension does not have counts with its default."""
    before, after = {**DEFAULTS, **extension.settings}, request.options.settings
    if request.options.tls == "cert-manager" and not known(observation.cert_manager, True):
        after[CERT_MANAGER_INSTALL] = "true"
    return {key: (before[key], value) for key, value in after.items() if before[key].casefold() != value.casefold()}


def _release(request: ExtensionUpdateRequest, extension: Extension) -> dict[str, tuple[object, object]]:
    """A version that is named is kept, so upgrades go off."""
    options = request.options
    changes: dict[str, tuple[object, object]] = {}
    # Azure shows the version that runs, and not the one that a failed extension is to get.
    is_pinned = extension.provisioning_state == "Succeeded" and extension.auto_upgrade is False
    if options.version and (not is_pinned or extension.version != options.version):
        changes["version"] = (extension.version, options.version)
    if options.release_train and options.release_train.casefold() != extension.release_train.casefold():
        changes["release_train"] = (extension.release_train, options.release_train)
    upgrade = False if options.version else options.auto_upgrade
    if upgrade is not None and upgrade != extension.auto_upgrade:
        changes["auto_upgrade"] = (extension.auto_upgrade, upgrade)
    return changes
