"""People and places in Slack. Ids decide, never names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Somebody in Slack, as the payload and `users.info` name them; ids decide, never names."""

    id: str
    name: str
    team: str
    groups: frozenset[str] = frozenset()
    """Ids and handles of the user groups they belong to."""
    is_guest: bool = False
    is_external: bool = False
    """Of another workspace (Slack Connect)."""
    tz: str = "UTC"
    locale: str = ""
    """Such as `zh-CN`, in which Slack itself speaks to them; empty where Slack does not say."""


@dataclass(frozen=True)
class Place:
    """Where in Slack something was said."""

    team: str
    channel: str
    channel_name: str = ""
    is_shared: bool = False
    """Whether people of other organisations read this channel."""
    is_member: bool = True
    """Whether the bot is in this channel, so that it can post there."""

    @property
    def is_direct(self) -> bool:
        """Whether it is a direct or group conversation, to which `/invite` can't add the bot."""
        return self.channel.startswith("D") or self.channel_name.startswith("mpdm-")
