"""What people attach to a form: text that is read from Slack with the bot's token."""

from urllib.parse import urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import proxy_for, translated
from services.model.attachment import Attachment
from services.model.errors import Invalid, NotAllowed, Unreachable

_METHOD = "url_private_download"
_HOSTS = (".slack.com", ".slack-gov.com", ".slack-files.com")
"""Where Slack keeps files; the token goes nowhere else."""


async def text(client: AsyncWebClient, attachment: Attachment, most: int) -> str:
    """The content of a file of at most so many bytes, which has to be UTF-8.

    Without the scope `files:read` Slack does not refuse: it leads to its login, a page in HTML.

    Raises:
        Invalid: it is in another service, empty, too large or no text. The field is `attachment`.
        NotAllowed: the app lacks the scope.
        Unreachable: Slack did not answer.
    """
    if attachment.size > most:
        raise Invalid("attachment", attachment.name, "attachment.size", {"most": most})
    address = "" if attachment.is_external else attachment.address or await _address(client, attachment)
    if not _is_slack(address, client.base_url):
        raise Invalid("attachment", attachment.name, "attachment.elsewhere")
    assert isinstance(client.session, aiohttp.ClientSession)  # noqa: S101 - `open_client` gave it one
    headers = {"Authorization": f"Bearer {client.token}"}
    proxy = proxy_for(address)
    try:
        async with client.session.get(address, headers=headers, proxy=proxy, allow_redirects=False) as answer:
            content = await answer.content.read(most + 1)
            while len(content) <= most and (chunk := await answer.content.read(most + 1 - len(content))):
                content += chunk
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unreachable("slack", _METHOD, type(error).__name__) from error
    if answer.status in {301, 302, 303, 307, 401, 403} or answer.content_type == "text/html":
        raise NotAllowed("slack", _METHOD, code="missing_scope", action="files:read")
    if answer.status != 200:  # noqa: PLR2004 - HTTP's
        raise Unreachable("slack", _METHOD, f"HTTP {answer.status}")
    if len(content) > most:
        raise Invalid("attachment", attachment.name, "attachment.size", {"most": most})
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("attachment", attachment.name, "attachment.encoding") from None
    if not decoded.strip():
        raise Invalid("attachment", attachment.name, "attachment.empty")
    return decoded


async def _address(client: AsyncWebClient, attachment: Attachment) -> str:
    """Where a file is of which a delivery has the id alone (`file_access: check_file_info`)."""
    with translated("files.info"):
        answer = await client.files_info(file=attachment.id)
    return str(answer["file"].get("url_private_download") or "")


def _is_slack(address: str, api: str) -> bool:
    """Whether an address is one of Slack's over HTTPS, or at the host of the API that the settings name."""
    parts, own = urlsplit(address), urlsplit(api)
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return True
    return parts.scheme == "https" and f".{parts.hostname}".endswith(_HOSTS)
