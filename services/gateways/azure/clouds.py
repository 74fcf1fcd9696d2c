"""Azure's clouds: where their logins and their Resource Manager live, as in azure.mgmt.core.tools.get_arm_endpoints."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from services.model.errors import Invalid, NotFound


@dataclass(frozen=True)
class Cloud:
    """One cloud.

    `scope` is what the token for its Resource Manager is asked for, `cli_name` its name in `az cloud list`.
    """

    name: str
    cli_name: str
    authority: str
    resource_manager: str
    scope: str


PUBLIC = Cloud(
    name="public",
    cli_name="AzureCloud",
    authority="https://login.microsoftonline.com",
    resource_manager="https://management.azure.com",
    scope="https://management.azure.com/.default",
)
CHINA = Cloud(
    name="china",
    cli_name="AzureChinaCloud",
    authority="https://login.chinacloudapi.cn",
    resource_manager="https://management.chinacloudapi.cn",
    scope="https://management.chinacloudapi.cn/.default",
)
US_GOVERNMENT = Cloud(
    name="us-government",
    cli_name="AzureUSGovernment",
    authority="https://login.microsoftonline.us",
    resource_manager="https://management.usgovcloudapi.net",
    scope="https://management.core.usgovcloudapi.net/.default",
)
CLOUDS = {entry.name: entry for entry in (PUBLIC, CHINA, US_GOVERNMENT)}
_BY_CLI_NAME = {entry.cli_name.lower(): entry for entry in CLOUDS.values()}


def cloud(name: str, *, authority: str = "", resource_manager: str = "", scope: str = "") -> Cloud:
    """The cloud of that name (ours or the Azure CLI's), with other addresses where given, as private clouds need.

    Raises `NotFound` with the known names, or `Invalid` for an address that is not https.
    """
    base = CLOUDS.get(name.lower()) or _BY_CLI_NAME.get(name.lower())
    if base is None:
        raise NotFound("cloud", name, near=tuple(CLOUDS))
    return replace(
        base,
        authority=_address("authority", authority) or base.authority,
        resource_manager=_address("resource_manager", resource_manager) or base.resource_manager,
        scope=scope or base.scope,
    )


def _address(field_name: str, url: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.username:
        raise Invalid(field_name, url, "url.https")
    return f"https://{parts.netloc}{parts.path.rstrip('/')}"
