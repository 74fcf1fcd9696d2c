"""The people, user groups and channels behind Slack's ids, cached for minutes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import attachments
from bot.slack.client import Installation, translated
from services.cache import Cache
from services.model.attachment import Attachment
from services.model.errors import Absent, DomainError, Foreign, NotAllowed, Refused
from services.model.people import Person, Place
from services.policy.timezones import zone_or_utc

_PERSON_LIFETIME = timedelta(minutes=10)
_GROUPS_LIFETIME = timedelta(minutes=5)
_PLACE_LIFETIME = timedelta(minutes=2)
_STALE = timedelta(hours=1)
_MEMBER_PAGES = 20
"""Of a thousand members each; of a larger channel nothing is said."""


@dataclass(frozen=True)
class Groups:
    """All user groups, or Slack's error code when they can't be listed."""

    members: Mapping[str, frozenset[str]]
    """By id and by handle."""
    problem: str = ""

    def of(self, person: str) -> frozenset[str]:
        """Ids and handles of the groups that a person is in."""
        return frozenset(group for group, members in self.members.items() if person in members)


@dataclass(frozen=True)
class _Profile:
    name: str
    team: str
    enterprise: str
    is_guest: bool
    is_stranger: bool
    tz: str
    locale: str = ""


_UNKNOWN = _Profile("", "", "", is_guest=False, is_stranger=True, tz="UTC")


class People:
    """The workspace's people and channels. Implements `services.ports.Slack`."""

    def __init__(self, client: AsyncWebClient, installation: Installation) -> None:
        self._client = client
        self._ours = installation
        self._profiles = Cache(self._ask_profile, lifetime=_PERSON_LIFETIME, stale=_STALE)
        self._groups = Cache(self._ask_groups, lifetime=_GROUPS_LIFETIME, stale=_STALE)
        self._places = Cache(self._ask_place, lifetime=_PLACE_LIFETIME, stale=_STALE)

    async def person(self, person_id: str, team: str = "") -> Person:
        """The person with this id; `team` is the one that the payload gives for them. Raises `Unreachable`."""
        profile = await self._profiles.get(person_id)
        groups = await self._groups.get("all")
        home_team = team or profile.team or self._ours.team
        same_company = bool(self._ours.enterprise) and profile.enterprise == self._ours.enterprise
        foreign = any(name and name != self._ours.team for name in (team, profile.team)) and not same_company
        return Person(
            id=person_id,
            name=profile.name or person_id,
            team=self._ours.team if same_company else home_team,
            groups=groups.of(person_id),
            is_guest=profile.is_guest,
            is_external=foreign or profile.is_stranger,
            tz=profile.tz,
            locale=profile.locale,
        )

    async def current(self, person_id: str) -> Person:
        """The same as Slack has them now, and not minutes ago."""
        self._profiles.forget(person_id)
        return await self.person(person_id)

    async def locale(self, person_id: str) -> str:
        """The locale in which Slack speaks to somebody, such as `zh-CN`; empty where Slack does not say or answer."""
        try:
            return (await self._profiles.get(person_id)).locale
        except DomainError:
            return ""

    def last_locale(self, person_id: str) -> str:
        """The same without a request, as it was when it was last asked for; empty where it never was."""
        profile = self._profiles.last(person_id)
        return profile.locale if profile else ""

    async def place(self, channel: str, name: str = "") -> Place:
        """The channel with this id; `name` is the one that the payload gives for it."""
        place = await self._places.get(channel)
        if not place.is_member:
            self._places.forget(channel)  # the answer makes people invite the bot and try again at once
        channel_name = name or place.channel_name
        return Place(self._ours.team, channel, channel_name, is_shared=place.is_shared, is_member=place.is_member)

    def channel_changed(self, channel: str) -> None:
        """Forget a channel, because Slack reports a change of it or a post there was refused."""
        self._places.forget(channel)

    async def ping(self) -> None:
        """One round trip to Slack."""
        with translated("api.test"):
            await self._client.api_test()

    async def members(self, group: str) -> frozenset[str] | None:
        """Ids of the people in a user group, by id or handle; nobody is in one that is switched off or was deleted."""
        try:
            groups = await self._groups.get("all")
        except DomainError:
            return None
        return None if groups.problem else groups.members.get(group, frozenset())

    async def readers(self, channel: str, person: str) -> frozenset[str] | None:
        """Ids of a conversation's members; in a direct message with the bot (its id begins with D) it is `person`."""
        if channel.startswith("D"):
            return frozenset({person})
        members: set[str] = set()
        cursor = ""
        try:
            with translated("conversations.members"):
                for _ in range(_MEMBER_PAGES):
                    answer = await self._client.conversations_members(channel=channel, limit=1000, cursor=cursor)
                    members |= set(answer["members"])
                    cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
                    if not cursor:
                        return frozenset(members)
        except DomainError:
            return None
        return None

    @property
    def reads_files(self) -> bool:
        """By the scopes that Slack disclosed when the bot started; where it disclosed none, the manifest's count."""
        return not self._ours.scopes or "files:read" in self._ours.scopes

    async def text_of(self, attachment: Attachment, most: int) -> str:
        """See `bot.slack.attachments`."""
        return await attachments.text(self._client, attachment, most)

    async def groups_problem(self) -> str:
        """Slack's error code if user groups can't be listed; empty if they can."""
        try:
            return (await self._groups.get("all")).problem
        except Foreign as error:
            return error.code or "unreachable"

    async def _ask_profile(self, person_id: str) -> _Profile:
        try:
            with translated("users.info"):
                answer = await self._client.users_info(user=person_id, include_locale=True)
        except Absent:
            return _UNKNOWN
        user: dict[str, Any] = answer["user"]
        profile = user.get("profile", {})
        return _Profile(
            name=profile.get("display_name") or user.get("name") or person_id,
            team=user.get("team_id", ""),
            enterprise=(user.get("enterprise_user") or {}).get("enterprise_id", ""),
            is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
            is_stranger=bool(user.get("is_stranger")) or bool(user.get("deleted")),
            tz=zone_or_utc(user.get("tz") or "UTC"),
            locale=user.get("locale") or "",
        )

    async def _ask_groups(self, _key: str) -> Groups:
        try:
            with translated("usergroups.list"):
                answer = await self._client.usergroups_list(include_users=True)
        except (NotAllowed, Refused) as error:
            return Groups({}, problem=error.code)
        members: dict[str, frozenset[str]] = {}
        user_groups: list[dict[str, Any]] = answer["usergroups"]
        for group in user_groups:
            members[group["id"]] = members[group["handle"]] = frozenset(group.get("users", ()))
        return Groups(members)

    async def _ask_place(self, channel: str) -> Place:
        try:
            with translated("conversations.info"):
                answer = await self._client.conversations_info(channel=channel)
        except Absent:
            # A private channel, or a conversation of others: Slack does not even disclose that it exists.
            return Place(self._ours.team, channel, is_member=False)
        except (NotAllowed, Refused):
            # Without the scope (direct messages need a separate one) only an attempt to post will show.
            return Place(self._ours.team, channel)
        conversation: dict[str, Any] = answer["channel"]
        return Place(
            self._ours.team,
            channel,
            conversation.get("name", ""),
            is_shared=bool(conversation.get("is_ext_shared")),
            is_member=bool(conversation.get("is_member", True) or conversation.get("is_im")),
        )
