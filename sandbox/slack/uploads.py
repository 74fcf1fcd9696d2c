"""Upload and download of file contents."""

from aiohttp import web

from sandbox.slack.workspace import Workspace


def routes(slack: Workspace) -> list[web.RouteDef]:
    """The upload address of files.getUploadURLExternal, and the address of each file."""

    async def upload(request: web.Request) -> web.StreamResponse:
        file = slack.files.get(request.match_info["file_id"])
        if file is None:
            return web.Response(status=404, text="There is no such upload.")
        slack.contents[file["id"]] = content = await _content(request)
        file["size"] = len(content)
        return web.Response(text=f"OK - {len(content)}")

    async def download(request: web.Request) -> web.StreamResponse:
        file_id = request.match_info["id"].rpartition("-")[2]
        if file_id not in slack.contents:
            return web.Response(status=404, text="There is no such file.")
        kind = slack.files[file_id]["mimetype"]
        return web.Response(
            body=slack.contents[file_id], content_type=kind, headers={"X-Content-Type-Options": "nosniff"}
        )

    return [web.post("/upload/v1/{file_id}", upload), web.get("/files-pri/{id}/{name}", download)]


async def _content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
        return value if isinstance(value, bytes) else str(value).encode()
    return b""
