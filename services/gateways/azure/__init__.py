"""The room of Azure: implements `services.ports.Azure` with Microsoft's asynchronous SDKs."""

from services.gateways.azure.arm import Deadlines
from services.gateways.azure.clouds import Cloud, cloud
from services.gateways.azure.gateway import Connection, Options, open_azure
from services.gateways.azure.identity import Identity

__all__ = ["Cloud", "Connection", "Deadlines", "Identity", "Options", "cloud", "open_azure"]
