"""Slack's Web API, one module a family of methods."""

from sandbox.slack.api import apps, chat, conversations, files, streams, users, views
from sandbox.slack.api.call import Method

METHODS: dict[str, Method] = {
    **apps.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **streams.METHODS,
    **users.METHODS,
    **views.METHODS,
}
