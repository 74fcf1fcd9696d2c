"""Files that people attach to a form."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Attachment:
    """A file as Slack describes it; nobody has read it yet. `size` is in bytes.

    `address` is where it can be read with the bot's token, empty where Slack has left it out. A file that `is_external`
    is in another service, and Slack has a link to it alone.
    """

    id: str
    name: str
    size: int
    address: str = field(repr=False)
    is_external: bool = False
