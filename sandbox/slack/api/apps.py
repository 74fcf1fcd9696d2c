"""api.*, auth.*, apps.*, team.*, bots.*."""

import secrets

from sandbox.slack.api.call import Call, Method, Tier, invalid
from sandbox.slack.manifest import problems_of
from sandbox.slack.values import Json, SlackError
from sandbox.slack.workspace import Workspace


def api_test(slack: Workspace, call: Call) -> Json:  # noqa: ARG001 - all methods take the same
    """api.test: returns its arguments, and fails with the error that `error` names."""
    if error := call.text("error"):
        raise SlackError(error, extra={"args": dict(call.args)})
    return {"args": dict(call.args)}


def auth_test(slack: Workspace, call: Call) -> Json:  # noqa: ARG001
    """auth.test."""
    app = slack.app
    who: Json = {"url": f"https://{slack.domain}.slack.com/", "team": slack.name, "user": app.name.lower()}
    who |= {"team_id": slack.id, "user_id": app.bot_user, "bot_id": app.bot_id, "is_enterprise_install": False}
    return who


def open_connection(slack: Workspace, call: Call) -> Json:  # noqa: ARG001
    """apps.connections.open: an address for one WebSocket."""
    if not slack.app.socket_mode:
        raise SlackError("socket_mode_disabled")
    ticket = secrets.token_urlsafe(24)
    slack.tickets.add(ticket)
    address = slack.base_url.replace("http", "ws", 1)
    return {"url": f"{address}/link/?ticket={ticket}&app_id={slack.app.id}"}


def validate_manifest(slack: Workspace, call: Call) -> Json:  # noqa: ARG001
    """apps.manifest.validate."""
    manifest = call.json("manifest", "invalid_manifest")
    if not isinstance(manifest, dict):
        raise invalid("missing required field: manifest")
    if problems := problems_of(manifest):
        errors = [{"message": problem.message, "pointer": problem.pointer} for problem in problems]
        raise SlackError("invalid_manifest", extra={"errors": errors})
    return {}


def team_info(slack: Workspace, call: Call) -> Json:
    """team.info."""
    if call.text("team", slack.id) != slack.id:
        raise SlackError("team_not_found")
    team: Json = {"id": slack.id, "name": slack.name, "domain": slack.domain, "email_domain": "", "icon": {}}
    return {"team": {**team, "url": f"https://{slack.domain}.slack.com/"}}


def bot_info(slack: Workspace, call: Call) -> Json:
    """bots.info."""
    if call.text("bot", slack.app.bot_id) != slack.app.bot_id:
        raise SlackError("bot_not_found")
    return {"bot": slack.bot_profile()}


METHODS = {
    "api.test": Method(api_test, Tier.FREE, caller="none"),
    "auth.test": Method(auth_test, Tier.FREE, caller="any"),
    "apps.connections.open": Method(open_connection, Tier.THREE, caller="app"),
    "apps.manifest.validate": Method(validate_manifest, Tier.THREE, caller="config"),
    "team.info": Method(team_info, Tier.THREE, ("team:read",)),
    "bots.info": Method(bot_info, Tier.THREE, ("users:read",)),
}
