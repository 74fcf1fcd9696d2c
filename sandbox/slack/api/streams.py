"""chat.startStream, appendStream, stopStream and the status line of a thread."""

import copy
from datetime import timedelta

from sandbox.slack.api.access import known_channel, root_of, stored_message, target
from sandbox.slack.api.call import Call, Method, Tier, invalid
from sandbox.slack.api.content import blocks_of, metadata_of, with_ids
from sandbox.slack.blocks import BLOCKS
from sandbox.slack.values import Json, Message, SlackError
from sandbox.slack.workspace import Workspace

MOST_MARKDOWN, MOST_TASK_TEXT, MOST_BLOCKS, MOST_LOADING = 12_000, 256, 50, 10
MODES = ("timeline", "plan", "dense")


def start(slack: Workspace, call: Call) -> Json:
    """chat.startStream: a message in a thread that grows until it is stopped, or until Slack ends it."""
    channel = target(slack, call.text("channel"))
    if not channel.is_im:
        for name in ("recipient_user_id", "recipient_team_id"):
            if not call.text(name):
                raise SlackError(f"missing_{name}")
    if (mode := call.text("task_display_mode", "timeline")) not in MODES:
        raise invalid(f"must be one of: {', '.join(MODES)} [json-pointer:/task_display_mode]")
    message = slack.from_app(channel, thread_ts=root_of(channel, call.text("thread_ts")), streaming=True)
    message.stream_until = slack.clock.now() + timedelta(seconds=slack.timing.stream)
    _take(slack, call, message, mode)
    slack.post(message)
    return {"channel": channel.id, "ts": message.ts}


def append(slack: Workspace, call: Call) -> Json:
    """chat.appendStream."""
    message = _open_stream(slack, call)
    if not call.text("markdown_text") and not call.json("chunks"):
        raise SlackError("no_text")
    _take(slack, call, message)
    slack.changed(message, quietly=True)
    return {"channel": message.channel, "ts": message.ts}


def stop(slack: Workspace, call: Call) -> Json:
    """chat.stopStream: the last text, blocks and metadata."""
    message = _open_stream(slack, call)
    last = blocks_of(slack, call.json("blocks", "invalid_blocks_format"))
    _take(slack, call, message)
    message.blocks = [*message.blocks, *last]
    message.metadata = metadata_of(call) or message.metadata
    message.streaming = False
    slack.changed(message)
    return {"channel": message.channel, "ts": message.ts, "message": slack.for_app(message)}


def _open_stream(slack: Workspace, call: Call) -> Message:
    message = stored_message(known_channel(slack, call.text("channel")), call.text("ts"))
    if message.bot_id != slack.app.bot_id:
        raise SlackError("message_not_owned_by_app")
    if message.stream_until is not None and message.streaming and slack.clock.now() > message.stream_until:
        message.streaming = False
        slack.changed(message, quietly=True)
    if not message.streaming:
        raise SlackError("message_not_in_streaming_state")
    return message


def _take(slack: Workspace, call: Call, message: Message, mode: str = "timeline") -> None:
    text, blocks = message.text, copy.deepcopy(message.blocks)
    try:
        _grow(slack, call, message, mode)
    except SlackError:
        message.text, message.blocks = text, blocks
        raise


def _grow(slack: Workspace, call: Call, message: Message, mode: str) -> None:
    if len(markdown := call.text("markdown_text")) > MOST_MARKDOWN:
        raise SlackError("msg_too_long")
    _say(message, markdown)
    chunks = call.json("chunks") or []
    if not isinstance(chunks, list):
        raise SlackError("invalid_chunks")
    if mode == "plan":
        _plan(message)
    for chunk in chunks:
        kind = chunk.get("type") if isinstance(chunk, dict) else None
        if kind == "markdown_text":
            _say(message, str(chunk.get("text", "")))
        elif kind == "plan_update":
            _plan(message)["title"] = _short(chunk, "title")
        elif kind == "task_update":
            _task(message, chunk)
        elif kind == "blocks":
            message.blocks += blocks_of(slack, chunk.get("blocks"))
            if sum(block["type"] != "markdown" for block in message.blocks) > MOST_BLOCKS:
                raise SlackError("invalid_chunks")
        else:
            raise SlackError("invalid_chunks")


def _say(message: Message, markdown: str) -> None:
    """Append text. Where a message has blocks its text isn't shown, so the text goes into a block too."""
    message.text += markdown
    last = message.blocks[-1] if message.blocks else {}
    if last.get("type") == "markdown":
        last["text"] += markdown
    elif markdown:
        message.blocks += with_ids([{"type": "markdown", "text": markdown}])


def _plan(message: Message) -> Json:
    for block in message.blocks:
        if block["type"] == "plan":
            return block
    plan: Json = {"type": "plan", "block_id": "plan", "title": "Plan", "tasks": []}
    message.blocks.insert(0, plan)
    return plan


def _task(message: Message, chunk: Json) -> None:
    plan = next((block for block in message.blocks if block["type"] == "plan"), None)
    tasks: list[Json] = message.blocks if plan is None else plan["tasks"]
    task = next((each for each in tasks if each.get("task_id") == chunk.get("id")), None)
    if task is None:
        task = {"type": "task_card", "block_id": str(chunk.get("id")), "task_id": _short(chunk, "id"), "title": ""}
        tasks.append(task)
    for name in ("title", "status"):
        if chunk.get(name):
            task[name] = _short(chunk, name)
    for name in ("details", "output"):
        if chunk.get(name):
            before = task.get(name)
            text = _short(chunk, name)
            section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
            task[name] = {"type": "rich_text", "elements": [*(before or {}).get("elements", []), section]}
    if chunk.get("sources"):
        task["sources"] = chunk["sources"]
    if any(BLOCKS["task_card"].check(task, "")):
        raise SlackError("invalid_chunks")


def _short(chunk: Json, name: str) -> str:
    text = str(chunk.get(name) or "")
    if len(text) > MOST_TASK_TEXT:
        raise SlackError("invalid_chunks")
    return text


def set_status(slack: Workspace, call: Call) -> Json:
    """assistant.threads.setStatus: a line under the thread until the app posts, or for two minutes."""
    channel = known_channel(slack, call.text("channel_id"))
    thread_ts = call.need("thread_ts")
    if thread_ts not in channel.messages:
        raise SlackError("thread_not_found")
    if len(call.json("loading_messages") or []) > MOST_LOADING:
        raise invalid(f"no more than {MOST_LOADING} items allowed [json-pointer:/loading_messages]")
    root = channel.messages[thread_ts]
    root.status = call.text("status") or None
    slack.changed(root, quietly=True)
    if root.status:
        slack.keep(_clear_later(slack, root, root.status))
    return {}


async def _clear_later(slack: Workspace, root: Message, status: str) -> None:
    await slack.clock.sleep(slack.timing.status)
    if root.status == status:
        root.status = None
        slack.changed(root, quietly=True)


_WRITE = ("chat:write",)
METHODS = {
    "chat.startStream": Method(start, Tier.TWO, _WRITE),
    "chat.appendStream": Method(append, Tier.FOUR, _WRITE),
    "chat.stopStream": Method(stop, Tier.TWO, _WRITE),
    "assistant.threads.setStatus": Method(set_status, Tier.FOUR, ("chat:write", "assistant:write")),
}
