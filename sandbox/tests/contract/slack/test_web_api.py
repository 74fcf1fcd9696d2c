"""The Web API as slack_sdk and plain HTTP speak it."""

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.slack import SlackPart
from sandbox.tests.contract.slack.people import Json, MakePart, People

TABLE: Json = {"type": "table", "rows": [[{"type": "raw_text", "text": "edge01"}]]}
PLAN: Json = {"type": "plan", "title": "Deploy", "tasks": [{"task_id": "1", "title": "Create", "status": "pending"}]}
SECTION: Json = {"type": "section", "text": {"type": "mrkdwn", "text": "words"}}


async def refusal(call: Any) -> Json:
    """What Slack refused the call with."""
    with pytest.raises(SlackApiError) as refused:
        await call
    body: Json = refused.value.response.data
    return body


async def test_auth_test_says_who_the_app_is(web: AsyncWebClient) -> None:
    answer = await web.auth_test()

    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0CONTOSO", "U0REGISTRY", "B0REGISTRY")


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("xapp-sandbox-app-token", "not_allowed_token_type")],
)
async def test_a_wrong_token_is_refused(part: SlackPart, token: str, error: str) -> None:
    client = AsyncWebClient(token=token, base_url=f"{part.url}/api/")

    assert (await refusal(client.users_list()))["error"] == error


async def test_a_method_that_slack_does_not_have_is_unknown(web: AsyncWebClient) -> None:
    assert (await refusal(web.api_call("registry.deploy")))["error"] == "unknown_method"


@pytest.mark.parametrize(
    "how",
    [
        {"json": {"channel": "C0EDGE", "text": "hello"}},
        {"data": {"channel": "C0EDGE", "text": "hello"}},
        {"params": {"channel": "C0EDGE", "text": "hello"}},
    ],
)
async def test_arguments_come_in_any_encoding(part: SlackPart, session: aiohttp.ClientSession, how: Json) -> None:
    headers = {"Authorization": "Bearer xoxb-sandbox-bot-token"}
    async with session.post(f"{part.url}/api/chat.postMessage", headers=headers, **how) as answer:
        assert (await answer.json())["message"]["text"] == "hello"


async def test_the_token_may_be_a_field_and_the_body_multipart(part: SlackPart, session: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"token": "xoxb-sandbox-bot-token", "channel": "C0EDGE"})
    form.add_field("blocks", json.dumps([SECTION]), content_type="text/plain")
    async with session.post(f"{part.url}/api/chat.postMessage", data=form) as answer:
        assert (await answer.json())["message"]["blocks"][0]["text"]["text"] == "words"


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"\xff\xfe", "invalid_json"),
        ("application/json", b"[]", "json_not_object"),
        ("application/x-www-form-urlencoded", b"text=\xff", "invalid_form_data"),
        ("application/x-www-form-urlencoded; charset=klingon", b"text=a", "invalid_charset"),
    ],
)
async def test_a_body_that_can_not_be_read_says_why(
    part: SlackPart, session: aiohttp.ClientSession, content_type: str, body: bytes, error: str
) -> None:
    headers = {"Authorization": "Bearer xoxb-sandbox-bot-token", "Content-Type": content_type}
    async with session.post(f"{part.url}/api/chat.postMessage", headers=headers, data=body) as answer:
        assert await answer.json() == {"ok": False, "error": error}


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("conversations.history", {"channel": "C0EDGE", "oldest": "yesterday"}, "invalid_ts_oldest"),
        ("conversations.history", {"channel": "C0EDGE", "latest": "now"}, "invalid_ts_latest"),
        ("conversations.history", {"channel": "C0EDGE", "limit": "all"}, "invalid_arguments"),
        ("chat.scheduleMessage", {"channel": "C0EDGE", "text": "x", "post_at": 10**17}, "time_too_far"),
        ("files.completeUploadExternal", {"files": ["F0NONE"]}, "invalid_arguments"),
    ],
)
async def test_an_argument_of_the_wrong_kind_says_why(web: AsyncWebClient, method: str, args: Json, error: str) -> None:
    await web.chat_postMessage(channel="C0EDGE", text="x")

    assert (await refusal(web.api_call(method, json=args)))["error"] == error


@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")  # it is, on purpose
@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0QUIET", "text": "x"}, "not_in_channel"),
        ({"channel": "C0EDGE"}, "no_text"),
        ({"channel": "C0EDGE", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "C0EDGE", "text": "x", "blocks": "[{"}, "invalid_blocks_format"),
        ({"channel": "C0EDGE", "text": "x", "blocks": [TABLE, TABLE]}, "invalid_attachments"),
        ({"channel": "C0EDGE", "text": "x", "blocks": [PLAN, PLAN]}, "invalid_blocks"),
        ({"channel": "C0EDGE", "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_schema"),
    ],
)
async def test_a_message_that_can_not_be_posted_says_why(web: AsyncWebClient, args: Json, error: str) -> None:
    assert (await refusal(web.chat_postMessage(**args)))["error"] == error


async def test_a_broken_block_is_named_by_its_pointer(web: AsyncWebClient) -> None:
    blocks = [SECTION, {"type": "planx"}]

    body = await refusal(web.chat_postMessage(channel="C0EDGE", text="x", blocks=blocks))

    assert body["error"] == "invalid_blocks"
    assert body["errors"] == ["unsupported type: planx [json-pointer:/blocks/1/type]"]
    assert body["response_metadata"]["messages"] == ["[ERROR] unsupported type: planx [json-pointer:/blocks/1/type]"]


async def test_text_alone_takes_the_old_blocks_away(web: AsyncWebClient, people: People) -> None:
    ts = (await web.chat_postMessage(channel="C0EDGE", text="old", blocks=[SECTION]))["ts"]
    await web.chat_update(channel="C0EDGE", ts=ts, text="new")

    assert await people.read() == ["Registry: new (edited)"]


async def test_an_edit_keeps_the_metadata_and_shows_no_mark_beside_blocks(web: AsyncWebClient) -> None:
    metadata = {"event_type": "operation", "event_payload": {"id": "op1"}}
    ts = (await web.chat_postMessage(channel="C0EDGE", text="old", blocks=[PLAN], metadata=metadata))["ts"]
    await web.chat_update(channel="C0EDGE", ts=ts, text="new", blocks=[SECTION])

    edited = (await web.conversations_history(channel="C0EDGE", include_all_metadata=True))["messages"][0]
    assert edited["metadata"] == metadata
    assert "edited" not in edited
    assert "metadata" not in (await web.conversations_history(channel="C0EDGE"))["messages"][0]


async def test_only_own_messages_that_exist_can_be_edited(web: AsyncWebClient, people: People) -> None:
    theirs = (await people.say("hello"))["ts"]
    own = (await web.chat_postMessage(channel="C0EDGE", text="x"))["ts"]

    assert (await refusal(web.chat_update(channel="C0EDGE", ts=theirs, text="x")))["error"] == "cant_update_message"
    assert (await refusal(web.chat_update(channel="C0EDGE", ts="1.1", text="x")))["error"] == "message_not_found"
    assert (await refusal(web.chat_update(channel="C0EDGE", ts=own, text="x" * 4001)))["error"] == "msg_too_long"
    assert (await refusal(web.chat_delete(channel="C0EDGE", ts=theirs)))["error"] == "cant_delete_message"


async def test_an_old_workspace_refuses_plan_blocks(web: AsyncWebClient, people: People) -> None:
    await people.post("features", plan=False)

    body = await refusal(web.chat_postMessage(channel="C0EDGE", text="x", blocks=[PLAN]))
    assert body["error"] == "invalid_blocks"
    assert body["response_metadata"]["messages"] == ["[ERROR] unsupported type: plan [json-pointer:/blocks/0/type]"]


async def test_replies_belong_to_their_thread(web: AsyncWebClient, people: People) -> None:
    root = (await web.chat_postMessage(channel="C0EDGE", text="root"))["ts"]
    await web.chat_postMessage(channel="C0EDGE", text="one", thread_ts=root)
    await web.chat_postMessage(channel="C0EDGE", text="two", thread_ts=root, reply_broadcast=True)

    replies = (await web.conversations_replies(channel="C0EDGE", ts=root))["messages"]
    assert [message["text"] for message in replies] == ["root", "one", "two"]
    assert replies[0]["reply_count"] == 2
    assert [message["text"] for message in await people.messages()] == ["root", "two"]


async def test_history_comes_in_pages_newest_first(web: AsyncWebClient) -> None:
    for number in range(5):
        await web.chat_postMessage(channel="C0EDGE", text=str(number))

    first = await web.conversations_history(channel="C0EDGE", limit=3)
    cursor = first["response_metadata"]["next_cursor"]
    second = await web.conversations_history(channel="C0EDGE", limit=3, cursor=cursor)
    assert [message["text"] for message in first["messages"]] == ["4", "3", "2"]
    assert [message["text"] for message in second["messages"]] == ["1", "0"]
    assert second["has_more"] is False


@pytest.mark.parametrize("limit", [0, 3])
async def test_people_come_in_pages_unless_the_limit_is_none(web: AsyncWebClient, limit: int) -> None:
    pages = [len(page["members"]) async for page in await web.users_list(limit=limit)]

    assert pages == ([3, 3, 1] if limit else [7])


async def test_a_direct_message_goes_to_a_person(web: AsyncWebClient, people: People) -> None:
    posted = await web.chat_postMessage(channel="U0ALICE", text="psst")
    opened = await web.conversations_open(users=["U0ALICE"])

    assert posted["channel"] == opened["channel"]["id"]
    assert await people.read(channel=posted["channel"]) == ["Registry: psst"]
    assert await people.get("read", **{"as": "bob", "channel": posted["channel"]}) == {
        "error": "bob can't see #Registry.",
        "code": "channel_not_found",
    }


async def test_people_groups_and_channels_can_be_looked_up(web: AsyncWebClient) -> None:
    assert (await web.users_info(user="U0GRETA"))["user"]["is_restricted"] is True
    assert "locale" not in (await web.users_info(user="U0LIU"))["user"]
    assert (await web.users_info(user="U0LIU", include_locale=True))["user"]["locale"] == "zh-CN"
    assert (await web.users_lookupByEmail(email="bob@contoso.example"))["user"]["id"] == "U0BOB"
    assert (await web.usergroups_users_list(usergroup="S0EDGEOPS"))["users"] == ["U0ALICE", "U0CAROL", "U0LIU"]
    assert (await web.usergroups_list(include_users=True))["usergroups"][1]["users"] == ["U0BOB", "U0ALICE"]
    assert (await web.conversations_info(channel="C0SHARED"))["channel"]["is_ext_shared"] is True
    assert "U0EVE" in (await web.conversations_members(channel="C0SHARED"))["members"]
    assert (await refusal(web.users_info(user="U0NOBODY")))["error"] == "user_not_found"


async def test_joining_a_public_channel_lets_the_app_post(web: AsyncWebClient) -> None:
    await web.conversations_join(channel="C0QUIET")

    assert (await web.chat_postMessage(channel="C0QUIET", text="x"))["ok"] is True


async def test_a_file_is_uploaded_in_three_steps(web: AsyncWebClient, people: People) -> None:
    await web.files_upload_v2(channel="C0EDGE", content="log", filename="deploy.log", initial_comment="the log")

    message = (await people.messages())[0]
    assert message["text"] == "the log"
    async with people.session.get(message["files"][0]["url"]) as answer:
        assert await answer.read() == b"log"


async def test_a_file_of_any_name_can_be_fetched(web: AsyncWebClient, people: People) -> None:
    await web.files_upload_v2(channel="C0EDGE", content="log", filename="berlin/deploy #1?.log")

    file = (await people.messages())[0]["files"][0]
    assert file["name"] == "berlin/deploy #1?.log"
    assert file["permalink"].endswith(f"/{file['id']}/berlin%2Fdeploy%20%231%3F.log")
    async with people.session.get(file["url"]) as answer:
        assert await answer.read() == b"log"


async def test_a_scope_that_the_manifest_lacks_is_missing(make_part: MakePart) -> None:
    manifest = {"display_information": {"name": "Edge"}, "oauth_config": {"scopes": {"bot": ["chat:write"]}}}
    part = await make_part(manifest=manifest)
    web = AsyncWebClient(token="xoxb-sandbox-bot-token", base_url=f"{part.url}/api/")

    body = await refusal(web.users_info(user="U0BOB"))
    assert (body["error"], body["needed"], body["provided"]) == ("missing_scope", "users:read", "chat:write")


async def test_real_rates_limit_posts_a_channel(make_part: MakePart, clock: Clock) -> None:
    clock.stop()
    part = await make_part(rates="real")
    web = AsyncWebClient(token="xoxb-sandbox-bot-token", base_url=f"{part.url}/api/")
    for number in range(10):
        await web.chat_postMessage(channel="C0EDGE", text=str(number))

    with pytest.raises(SlackApiError) as limited:
        await web.chat_postMessage(channel="C0EDGE", text="one too many")
    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "1"
    clock.turn(1)
    assert (await web.chat_postMessage(channel="C0EDGE", text="again"))["ok"] is True


async def test_a_clock_that_is_turned_back_costs_no_calls(make_part: MakePart, clock: Clock) -> None:
    clock.stop()
    part = await make_part(rates="real")
    web = AsyncWebClient(token="xoxb-sandbox-bot-token", base_url=f"{part.url}/api/")
    await web.chat_postMessage(channel="C0EDGE", text="before")
    clock.turn(-7200)

    assert (await web.chat_postMessage(channel="C0EDGE", text="after"))["ok"] is True


async def test_edits_share_fifty_a_minute(make_part: MakePart, clock: Clock) -> None:
    clock.stop()
    part = await make_part(rates="real")
    web = AsyncWebClient(token="xoxb-sandbox-bot-token", base_url=f"{part.url}/api/")
    ts = (await web.chat_postMessage(channel="C0EDGE", text="card"))["ts"]
    for number in range(50):
        await web.chat_update(channel="C0EDGE", ts=ts, text=str(number))

    assert (await refusal(web.chat_update(channel="C0EDGE", ts=ts, text="last")))["error"] == "ratelimited"


async def test_the_sdk_waits_out_a_rate_limit_on_demand(web: AsyncWebClient, faults: Faults) -> None:
    web.retry_handlers.append(AsyncRateLimitErrorRetryHandler())
    faults.add(Fault("slack", "chat.update", status=429, headers={"Retry-After": "0"}))
    ts = (await web.chat_postMessage(channel="C0EDGE", text="card"))["ts"]

    assert (await web.chat_update(channel="C0EDGE", ts=ts, text="new"))["ok"] is True


async def test_a_fault_fails_a_method_with_slacks_own_word(web: AsyncWebClient, faults: Faults) -> None:
    faults.add(Fault("slack", "chat.update", code="edit_window_closed"))

    assert (await refusal(web.chat_update(channel="C0EDGE", ts="1.1", text="x")))["error"] == "edit_window_closed"


async def test_a_lost_reply_leaves_the_message_posted(
    part: SlackPart, session: aiohttp.ClientSession, faults: Faults, people: People
) -> None:
    faults.add(Fault("slack", "chat.postMessage", action="lose_reply"))
    headers = {"Authorization": "Bearer xoxb-sandbox-bot-token"}
    with pytest.raises(aiohttp.ClientError):
        await session.post(f"{part.url}/api/chat.postMessage", headers=headers, json={"channel": "C0EDGE", "text": "x"})

    assert await people.read() == ["Registry: x"]


async def test_a_dropped_call_does_nothing(
    part: SlackPart, session: aiohttp.ClientSession, faults: Faults, people: People
) -> None:
    faults.add(Fault("slack", "chat.postMessage", action="drop"))
    headers = {"Authorization": "Bearer xoxb-sandbox-bot-token"}
    with pytest.raises(aiohttp.ClientError):
        await session.post(f"{part.url}/api/chat.postMessage", headers=headers, json={"channel": "C0EDGE", "text": "x"})

    assert await people.read() == []


@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")  # it is, on purpose
async def test_calls_are_kept_without_tokens(web: AsyncWebClient, people: People) -> None:
    await web.chat_postMessage(channel="C0EDGE", text="x")
    await refusal(web.chat_postMessage(channel="C0EDGE"))

    calls = (await people.get("calls", method="chat.postMessage"))["calls"]
    assert [(call["ok"], call["error"]) for call in calls] == [(True, None), (False, "no_text")]
    assert "xoxb" not in json.dumps(calls)


async def test_a_stream_ends_after_five_minutes(web: AsyncWebClient, people: People, clock: Clock) -> None:
    root = (await people.say("deploy please"))["ts"]
    to: Json = {"recipient_user_id": "U0ALICE", "recipient_team_id": "T0CONTOSO"}
    ts = (await web.chat_startStream(channel="C0EDGE", thread_ts=root, markdown_text="Working", **to))["ts"]
    await web.chat_appendStream(channel="C0EDGE", ts=ts, markdown_text=" on it")

    assert (await refusal(web.chat_update(channel="C0EDGE", ts=ts, text="x")))["error"] == "streaming_state_conflict"
    clock.turn(400)
    body = await refusal(web.chat_appendStream(channel="C0EDGE", ts=ts, markdown_text="late"))
    assert body["error"] == "message_not_in_streaming_state"
    assert (await people.read())[-1] == "    Registry: Working on it"


async def test_the_words_of_a_stream_stay_before_its_last_blocks(web: AsyncWebClient, people: People) -> None:
    root = (await people.say("deploy please"))["ts"]
    to: Json = {"recipient_user_id": "U0ALICE", "recipient_team_id": "T0CONTOSO"}
    stream = await web.chat_stream(channel="C0EDGE", thread_ts=root, buffer_size=1, **to)
    await stream.append(markdown_text="It is ")
    await stream.append(markdown_text="online.")
    await stream.stop(blocks=[SECTION])

    assert (await people.read())[1:] == ["    Registry: It is online.", "      words"]


async def test_a_stream_refuses_a_task_that_no_plan_block_takes(web: AsyncWebClient, people: People) -> None:
    root = (await people.say("deploy please"))["ts"]
    to: Json = {"recipient_user_id": "U0ALICE", "recipient_team_id": "T0CONTOSO"}
    ts = (await web.chat_startStream(channel="C0EDGE", thread_ts=root, **to))["ts"]
    task = {"type": "task_update", "id": "1", "title": "Create"}
    await web.chat_appendStream(channel="C0EDGE", ts=ts, chunks=[{**task, "status": "in_progress"}])

    wrong = web.chat_appendStream(channel="C0EDGE", ts=ts, chunks=[{**task, "id": "2", "status": "cancelled"}])
    assert (await refusal(wrong))["error"] == "invalid_chunks"
    assert (await people.read())[-1] == "    Registry: [~] Create"


async def test_a_scheduled_message_comes_when_its_time_has_come(
    web: AsyncWebClient, people: People, clock: Clock
) -> None:
    at = int(clock.now().timestamp()) + 3600
    await web.chat_scheduleMessage(channel="C0EDGE", text="later", post_at=at)
    assert len((await web.chat_scheduledMessages_list())["scheduled_messages"]) == 1
    assert await people.read() == []

    clock.turn(3700)
    await web.auth_test()
    assert await people.read() == ["Registry: later"]
    past = web.chat_scheduleMessage(channel="C0EDGE", text="x", post_at=at)
    assert (await refusal(past))["error"] == "time_in_past"


async def test_a_manifest_is_validated_with_pointers(part: SlackPart) -> None:
    client = AsyncWebClient(token="xoxe.xoxp-sandbox-config-token", base_url=f"{part.url}/api/")
    manifest = {"display_information": {"name": "Edge"}, "settings": {"interactivity": {"is_enabled": True}}}

    body = await refusal(client.apps_manifest_validate(manifest=manifest))
    assert body["errors"][0]["pointer"] == "/settings/interactivity"


async def test_a_reaction_is_added_once_and_removed(web: AsyncWebClient, people: People) -> None:
    ts = (await web.chat_postMessage(channel="C0EDGE", text="done"))["ts"]
    await web.reactions_add(channel="C0EDGE", timestamp=ts, name="white_check_mark")

    assert (await people.read()) == ["Registry: done", "  :white_check_mark: 1"]
    again = web.reactions_add(channel="C0EDGE", timestamp=ts, name="white_check_mark")
    assert (await refusal(again))["error"] == "already_reacted"
    await web.reactions_remove(channel="C0EDGE", timestamp=ts, name="white_check_mark")
    assert (await people.read()) == ["Registry: done"]


async def test_a_threads_status_goes_when_the_app_speaks(web: AsyncWebClient, people: People) -> None:
    ts = (await people.say("deploy please"))["ts"]
    await web.assistant_threads_setStatus(channel_id="C0EDGE", thread_ts=ts, status="is planning…")
    before = (await people.messages())[0]["status"]
    await web.chat_postMessage(channel="C0EDGE", thread_ts=ts, text="planned")

    assert before == "is planning…"
    assert "status" not in (await people.messages())[0]


async def test_the_app_makes_a_channel_and_invites_people(web: AsyncWebClient, people: People) -> None:
    channel = (await web.conversations_create(name="incident-1", is_private=True))["channel"]["id"]
    await web.conversations_invite(channel=channel, users=["U0BOB"])

    assert (await people.say("hello", as_="bob", channel="incident-1"))["ok"] is True
    assert (await refusal(web.conversations_create(name="incident-1")))["error"] == "name_taken"


async def test_a_permalink_names_the_thread(web: AsyncWebClient) -> None:
    root = (await web.chat_postMessage(channel="C0EDGE", text="root"))["ts"]
    ts = (await web.chat_postMessage(channel="C0EDGE", text="reply", thread_ts=root))["ts"]

    link = (await web.chat_getPermalink(channel="C0EDGE", message_ts=ts))["permalink"]
    assert link == f"https://contoso.slack.com/archives/C0EDGE/p{ts.replace('.', '')}?thread_ts={root}&cid=C0EDGE"
