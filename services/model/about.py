"""What runs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Setting:
    """A setting of the bot that every site shares, by its environment variable. `is_default`: nobody has set it."""

    name: str
    value: str
    is_default: bool


@dataclass(frozen=True)
class About:
    """The running bot. `engine` names the durable engine and its database; `settings` are those that sites share.

    `cloud` is the name of the Azure cloud in `az cloud list`, empty for the one that the Azure CLI is in by itself.
    """

    version: str
    started: datetime
    engine: str
    settings: tuple[Setting, ...] = ()
    cloud: str = ""
