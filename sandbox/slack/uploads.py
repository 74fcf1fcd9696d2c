"""Upload and download of file contents."""

import base64
import binascii
from urllib.parse import quote

from aiohttp import web

from sandbox.slack.api.files import new_file
from sandbox.slack.elements import every_element
from sandbox.slack.values import Json, NotPossible, Person, View
from sandbox.slack.workspace import Workspace

LARGEST = 10 * 2**20
"""Bytes of a file in a form (docs.slack.dev: file input element)."""


def routes(slack: Workspace) -> list[web.RouteDef]:
    """The upload address of files.getUploadURLExternal, and the address of each file."""

    async def upload(request: web.Request) -> web.StreamResponse:
        file = slack.files.get(request.match_info["file_id"])
        if file is None:
            return web.Response(status=404, text="There is no such upload.")
        slack.contents[file["id"]] = content = await _content(request)
        file["size"] = len(content)
        return web.Response(text=f"OK - {len(content)}")

    async def private(request: web.Request) -> web.StreamResponse:
        # Whoever has no token that may read files is sent to the login, a page in HTML that answers with 200.
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != slack.app.bot_token or slack.token_error or not slack.app.has_scope("files:read"):
            raise web.HTTPFound(f"{slack.base_url}/?redir={quote(request.path_qs, safe='')}")
        return await download(request)

    async def download(request: web.Request) -> web.StreamResponse:
        file_id = request.match_info["id"].rpartition("-")[2]
        if file_id not in slack.contents:
            return web.Response(status=404, text="There is no such file.")
        kind = slack.files[file_id]["mimetype"]
        return web.Response(
            body=slack.contents[file_id], content_type=kind, headers={"X-Content-Type-Options": "nosniff"}
        )

    return [
        web.post("/upload/v1/{file_id}", upload),
        web.get("/files-pri/{id}/{name}", private),
        web.get("/sandbox/slack/file/{id}/{name}", download),
    ]


def upload_inputs(slack: Workspace, person: Person, view: View) -> None:
    """Upload what somebody has put into a form's file inputs, as Slack does before it submits the form.

    An entry has a `name`, and its content as text in `content` or in `base64`; or it `is_external`, in another service.
    """
    for block, element in every_element(view.blocks):
        if element["type"] == "file_input":
            value = view.state.get(block["block_id"], {}).get(element["action_id"], {})
            value["files"] = [_uploaded(slack, person, element, entry) for entry in value.get("files") or ()]


def _uploaded(slack: Workspace, person: Person, element: Json, entry: Json) -> Json:
    if not isinstance(entry, dict) or not entry.get("name"):
        raise NotPossible("invalid", 'A file is {"name": NAME, "content": TEXT}.', status=400)
    if entry.get("id") in slack.files:
        return slack.files[entry["id"]]
    name = str(entry["name"])
    types = element.get("filetypes")
    if types and name.rpartition(".")[2].lower() not in types:
        raise NotPossible("file_type", f"{name} is none of the types {', '.join(types)}.", status=400)
    try:
        content = base64.b64decode(entry["base64"]) if "base64" in entry else str(entry.get("content") or "").encode()
    except (binascii.Error, TypeError) as error:
        raise NotPossible("invalid", f"{name}: {error}", status=400) from None
    if len(content) > LARGEST:
        raise NotPossible("file_too_large", f"{name} is larger than 10 MB.", status=400)
    file = new_file(slack, name, len(content), person.id)
    if entry.get("is_external"):
        elsewhere = f"https://files.example/{quote(name, safe='')}"
        file |= {"mode": "external", "is_external": True, "external_type": "gdrive", "size": 0}
        file |= {"url_private": elsewhere, "url_private_download": elsewhere}
    else:
        slack.contents[file["id"]] = content
    return file


async def _content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
        return value if isinstance(value, bytes) else str(value).encode()
    return b""
