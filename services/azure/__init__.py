"""The room of Azure: implements `services.ports.Azure` with Microsoft's asynchronous SDKs."""

from services.azure.arm import Deadlines
from services.azure.clouds import Cloud, cloud
from services.azure.connection_string import connection_string
from services.azure.gateway import Connection, Options, open_azure
from services.azure.identity import Identity

__all__ = ["Cloud", "Connection", "Deadlines", "Identity", "Options", "cloud", "connection_string", "open_azure"]
