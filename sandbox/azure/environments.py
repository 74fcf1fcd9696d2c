"""Azure's clouds: the public one, 21Vianet's in China, and the US Government's.

Hosts and audiences are those of `az cloud list`; api-versions reach the two others months later.
"""

from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True)
class Environment:
    """What differs between the clouds."""

    name: str
    title: str
    """Its name in `/metadata/endpoints`."""
    issuer: str
    """Where its tokens come from; the tenant's id follows."""
    audiences: tuple[str, ...]
    """What a token for Resource Manager is for, each also with a slash at its end."""
    suffix: str
    """What the names of registries end with."""
    regions: tuple[str, ...]
    newest_registry_version: str = "2026-12-31"
    """No later api-version of Microsoft.ContainerRegistry has arrived."""

    def place(self, location: str) -> str:
        """The region of a resource of the world: this one, or the cloud's first region if it is another cloud's."""
        return location if location in self.regions else self.regions[0]


PUBLIC = Environment(
    name="public",
    title="AzureCloud",
    issuer="https://sts.windows.net",
    audiences=("https://management.core.windows.net", "https://management.azure.com"),
    suffix="azurecr.io",
    regions=_words(
        "westus eastus southcentralus westeurope northeurope uksouth ukwest australiaeast australiasoutheast "
        "centralindia eastasia japaneast japanwest southeastasia eastus2 canadacentral centralus westus2 westus3 "
        "francecentral germanywestcentral norwayeast swedencentral switzerlandnorth northcentralus koreacentral "
        "brazilsouth"
    ),
)
CHINA = Environment(
    name="china",
    title="AzureChinaCloud",
    issuer="https://sts.chinacloudapi.cn",
    audiences=("https://management.core.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
    suffix="azurecr.cn",
    regions=_words("chinaeast2 chinanorth2 chinanorth3 chinaeast3 chinaeast chinanorth"),
    newest_registry_version="2025-10-31",
)
US_GOVERNMENT = Environment(
    name="us-government",
    title="AzureUSGovernment",
    issuer="https://sts.windows.net",
    audiences=("https://management.core.usgovcloudapi.net", "https://management.usgovcloudapi.net"),
    suffix="azurecr.us",
    regions=_words("usgovvirginia usgovarizona usgovtexas usdodcentral usdodeast"),
    newest_registry_version="2025-10-31",
)
ENVIRONMENTS = {each.name: each for each in (PUBLIC, CHINA, US_GOVERNMENT)}
