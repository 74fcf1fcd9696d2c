"""An app's answer to a command or a click: in its acknowledgement or through a response_url."""

from aiohttp import web

from sandbox.slack.api.call import Call
from sandbox.slack.api.content import content_of
from sandbox.slack.values import Json, Message, ResponseUrl, SlackError
from sandbox.slack.workspace import Workspace


def take_answer(slack: Workspace, url: ResponseUrl, body: Json) -> Message | None:
    """Apply the answer and return the new or edited message. Raises SlackError."""
    channel = slack.channels[url.channel]
    original = channel.messages.get(url.message_ts or "")
    call = Call("response_url", body)
    if call.flag("delete_original"):
        if original is not None:
            slack.remove(original)
        return None
    content = content_of(slack, call)
    if call.flag("replace_original") and original is not None and original.bot_id == slack.app.bot_id:
        original.text, original.blocks = content["text"], content["blocks"]
        original.attachments = content["attachments"]
        slack.changed(original)
        return original
    ephemeral_to = None if body.get("response_type") == "in_channel" else url.user
    thread_ts = str(body["thread_ts"]) if body.get("thread_ts") else None
    return slack.post(slack.from_app(channel, **content, thread_ts=thread_ts, ephemeral_to=ephemeral_to))


def routes(slack: Workspace) -> list[web.RouteDef]:
    """The route of response_urls."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            url = slack.use_response_url(request.match_info["name"])
            body = await _body(request)
            take_answer(slack, url, body)
        except SlackError as error:
            status = error.status if error.status != web.HTTPOk.status_code else web.HTTPBadRequest.status_code
            return web.json_response(error.body(), status=status)
        return web.Response(text="ok")

    return [web.post("/actions/{name:.+}", answer)]


async def _body(request: web.Request) -> Json:
    try:
        body = await request.json()
    except ValueError:
        raise SlackError("invalid_payload") from None
    if not isinstance(body, dict):
        raise SlackError("invalid_payload")
    return body
