"""users.* and usergroups.*."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sandbox.slack.api.access import somebody
from sandbox.slack.api.call import Call, Method, Tier, invalid, page
from sandbox.slack.values import Group, Json, Person, SlackError
from sandbox.slack.workspace import Workspace


def _user(slack: Workspace, person: Person) -> Json:
    zone = ZoneInfo(person.tz)
    offset = datetime.now(zone).utcoffset()
    local = person.team_id == slack.id
    profile: Json = {"real_name": person.real_name, "display_name": person.name, "team": person.team_id}
    if person.email and local and slack.app.has_scope("users:read.email"):
        profile["email"] = person.email
    flags: Json = {
        "deleted": person.deleted,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_admin": person.is_admin,
    }
    flags |= {"is_owner": False, "is_restricted": person.is_restricted, "is_stranger": False}
    who: Json = {"id": person.id, "team_id": person.team_id, "name": person.name, "real_name": person.real_name}
    who |= {"tz": person.tz, "tz_label": person.tz, "tz_offset": int(offset.total_seconds()) if offset else 0}
    return {**who, **flags, "is_ultra_restricted": person.is_ultra_restricted, "profile": profile, "updated": 0}


def info(slack: Workspace, call: Call) -> Json:
    """users.info. The locale comes for those who ask for it (docs.slack.dev/reference/methods/users.info)."""
    person = somebody(slack, call.text("user"))
    locale: Json = {"locale": person.locale} if call.flag("include_locale") else {}
    return {"user": {**_user(slack, person), **locale}}


def everybody(slack: Workspace, call: Call) -> Json:
    """users.list."""
    local = [person for person in slack.people.values() if person.team_id == slack.id]
    users, following = page([_user(slack, person) for person in local], call, 1000)
    return {"members": users, "cache_ts": int(slack.clock.now().timestamp()), **following}


def profile(slack: Workspace, call: Call) -> Json:
    """users.profile.get."""
    return {"profile": _user(slack, somebody(slack, call.text("user", slack.app.bot_user)))["profile"]}


def presence(slack: Workspace, call: Call) -> Json:
    """users.getPresence: people with an open page are active."""
    somebody(slack, call.text("user", slack.app.bot_user))
    return {"presence": "active", "online": True}


def by_email(slack: Workspace, call: Call) -> Json:
    """users.lookupByEmail."""
    email = call.need("email").lower()
    for person in slack.people.values():
        if person.email.lower() == email and person.team_id == slack.id and not person.deleted:
            return {"user": _user(slack, person)}
    raise SlackError("users_not_found")


def groups(slack: Workspace, call: Call) -> Json:
    """usergroups.list."""
    return {"usergroups": [_group(slack, group, users=call.flag("include_users")) for group in slack.groups]}


def _group(slack: Workspace, group: Group, *, users: bool) -> Json:
    body: Json = {
        "id": group.id,
        "team_id": slack.id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
    }
    body |= {"description": "", "is_external": False, "date_delete": 0, "user_count": len(group.members)}
    return {**body, "users": list(group.members)} if users else body


def group_members(slack: Workspace, call: Call) -> Json:
    """usergroups.users.list."""
    group_id = call.text("usergroup")
    if not group_id:
        raise invalid("missing required field: usergroup")
    for group in slack.groups:
        if group.id == group_id:
            return {"users": list(group.members)}
    raise SlackError("no_such_subteam")


_USERS, _GROUPS = ("users:read",), ("usergroups:read",)
METHODS = {
    "users.info": Method(info, Tier.FOUR, _USERS),
    "users.list": Method(everybody, Tier.TWO, _USERS),
    "users.lookupByEmail": Method(by_email, Tier.THREE, ("users:read.email",)),
    "users.profile.get": Method(profile, Tier.FOUR, ("users.profile:read",)),
    "users.getPresence": Method(presence, Tier.THREE, _USERS),
    "usergroups.list": Method(groups, Tier.TWO, _GROUPS),
    "usergroups.users.list": Method(group_members, Tier.TWO, _GROUPS),
}
