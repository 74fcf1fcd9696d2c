"""files.*: the three-step upload, and the files of people."""

import mimetypes
from urllib.parse import quote

from sandbox.slack.api.access import root_of, target
from sandbox.slack.api.call import Call, Method, Tier, invalid
from sandbox.slack.api.content import blocks_of
from sandbox.slack.values import Json, SlackError
from sandbox.slack.workspace import Workspace


def upload_url(slack: Workspace, call: Call) -> Json:
    """files.getUploadURLExternal."""
    name, length = call.need("filename"), call.number("length", 0)
    if length <= 0:
        raise invalid("missing required field: length")
    file_id = new_file(slack, name, length, slack.app.bot_user)["id"]
    return {"upload_url": f"{slack.base_url}/upload/v1/{file_id}", "file_id": file_id}


def new_file(slack: Workspace, name: str, size: int, user: str) -> Json:
    """A file of somebody, without its content. `url` is the sandbox's own, where a browser gets it without a login."""
    file_id = slack.new_id("F")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    ending = f"{file_id}/{quote(name, safe='')}"
    address = f"{slack.base_url}/files-pri/{slack.id}-{ending}"
    file: Json = {"id": file_id, "name": name, "title": name, "mimetype": kind, "size": size}
    file |= {"created": int(slack.clock.now().timestamp()), "user": user, "mode": "hosted", "is_external": False}
    file |= {"url_private": address, "url_private_download": address, "filetype": name.rpartition(".")[2] or "text"}
    file |= {"url": f"{slack.base_url}/sandbox/slack/file/{slack.id}-{ending}"}
    file["permalink"] = f"https://{slack.domain}.slack.com/files/{user}/{ending}"
    slack.files[file_id] = file
    return file


def complete(slack: Workspace, call: Call) -> Json:
    """files.completeUploadExternal: shares the files in one message when a channel is given."""
    entries = call.json("files")
    if not isinstance(entries, list) or not entries:
        raise invalid("missing required field: files")
    if not all(isinstance(entry, dict) for entry in entries):
        raise invalid("must provide an object [json-pointer:/files]")
    files = [_uploaded(slack, entry) for entry in entries]
    for name in filter(None, [*call.text("channels").split(","), call.text("channel_id")]):
        channel = target(slack, name)
        thread_ts = root_of(channel, call.text("thread_ts"))
        blocks = blocks_of(slack, call.json("blocks", "invalid_blocks_format"))
        comment = call.text("initial_comment")
        slack.post(slack.from_app(channel, text=comment, blocks=blocks, files=files, thread_ts=thread_ts))
    return {"files": files}


def _uploaded(slack: Workspace, entry: Json) -> Json:
    file = slack.files.get(str(entry.get("id")))
    if file is None or file["id"] not in slack.contents:
        raise SlackError("file_not_found")
    if entry.get("title"):
        file["title"] = entry["title"]
    return file


def info(slack: Workspace, call: Call) -> Json:
    """files.info."""
    file = slack.files.get(call.text("file"))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": file, "comments": []}


METHODS = {
    "files.getUploadURLExternal": Method(upload_url, Tier.FOUR, ("files:write",)),
    "files.completeUploadExternal": Method(complete, Tier.FOUR, ("files:write",)),
    "files.info": Method(info, Tier.FOUR, ("files:read",)),
}
