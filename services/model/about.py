"""What runs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class About:
    """The running bot. `engine` names the durable engine and its database."""

    version: str
    started: datetime
    engine: str
