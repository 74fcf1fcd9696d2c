"""GET /metadata/endpoints: how this cloud describes itself to the Azure CLI and SDKs."""

from typing import Any

from aiohttp import web

from sandbox.azure.environments import PUBLIC, Environment

ONE_OBJECT = "2022-09-01"
"""This version and later ones answer one object, earlier ones a list."""
LISTS = "2018-05-01"
"""Before this version the document was flat and had no `suffixes`."""


def endpoints(environment: Environment, request: web.Request) -> web.Response:
    """The document in the form of the requested api-version."""
    base, version = f"https://{request.host}", request.query.get("api-version", "")
    if version and version < LISTS:
        return web.json_response(
            {
                "galleryEndpoint": "",
                "graphEndpoint": base,
                "portalEndpoint": base,
                "authentication": {"loginEndpoint": base, "audiences": [f"{one}/" for one in environment.audiences]},
            }
        )
    document = _document(environment, base)
    return web.json_response(document if version >= ONE_OBJECT else [document])


def _document(environment: Environment, base: str) -> dict[str, Any]:
    return {
        "name": "Sandbox" if environment is PUBLIC else environment.title,
        "portal": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": [f"{one}/" for one in environment.audiences],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": base,
        "media": "https://rest.media.azure.net",
        "graph": f"{base}/",
        "graphAudience": f"{base}/",
        "microsoftGraphResourceId": f"{base}/",
        "batch": "https://batch.core.windows.net/",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "vmImageAliasDoc": "",
        "gallery": base,
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "suffixes": {
            "acrLoginServer": environment.suffix,
            "keyVaultDns": "vault.azure.net",
            "storage": "core.windows.net",
            "sqlServerHostname": "database.windows.net",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "mysqlServerEndpoint": "mysql.database.azure.com",
            "postgresqlServerEndpoint": "postgres.database.azure.com",
            "mariadbServerEndpoint": "mariadb.database.azure.com",
        },
    }
