"""The control API, which the page and tests use."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from sandbox.hangups import hangups
from sandbox.slack.clicks import click, find_element, has_element, suggestions
from sandbox.slack.delivery import Delivery
from sandbox.slack.limits import Limits
from sandbox.slack.manifest import problems_of
from sandbox.slack.modals import close, fill, open_home, submit, take_state, top_view
from sandbox.slack.read import lines_of, view_lines
from sandbox.slack.say import say
from sandbox.slack.values import Channel, Json, Message, NotPossible, Person, View

Run = Callable[[Json], Awaitable[Json]]
HOME = "/sandbox/slack"
PULSE = 15.0
"""Seconds after which an idle event stream sends a comment."""


@dataclass(frozen=True)
class Control:
    """Serves /sandbox/slack/...; errors are 400 or 404, and say what is wrong and what to do."""

    delivery: Delivery
    limits: Limits

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        gets: dict[str, Run] = {"state": self.state, "messages": self.messages, "view": self.view, "read": self.read}
        gets |= {"calls": self.calls, "features": self.features, "acknowledgements": self.acknowledgements}
        posts: dict[str, Run] = {"say": self.say, "click": self.click, "options": self.options, "fill": self.fill}
        posts |= {"submit": self.submit, "close": self.close, "home": self.home, "sockets": self.sockets}
        posts |= {"join": self.join, "leave": self.leave, "features": self.set_features, "manifest": self.set_manifest}
        posts |= {"verify": self.verify, "channel": self.channel, "direct": self.direct, "token": self.token}
        return [
            *(web.get(f"{HOME}/{name}", answering(run)) for name, run in gets.items()),
            *(web.post(f"{HOME}/{name}", answering(run)) for name, run in posts.items()),
            web.delete(f"{HOME}/calls", answering(self.forget_calls)),
            web.delete(f"{HOME}/acknowledgements", answering(self.forget_acknowledgements)),
            web.get(f"{HOME}/events", self.events),
        ]

    # reading

    async def state(self, request: Json) -> Json:
        """The workspace as one person sees it, by default the first person of the world."""
        slack = self.delivery.slack
        me = self._person(request) if request.get("as") else next(iter(slack.people.values()))
        app = {"id": slack.app.id, "name": slack.app.name, "bot_user": slack.app.bot_user, "bot_id": slack.app.bot_id}
        commands = [
            {"command": each.command, "description": each.description, "usage_hint": each.usage_hint}
            for each in slack.app.commands or ()
        ]
        sees = [channel for channel in slack.channels.values() if slack.sees(me, channel)]
        return {
            "workspace": {"id": slack.id, "domain": slack.domain, "name": slack.name},
            "app": {**app, "commands": commands},
            "people": [asdict(person) for person in slack.people.values()],
            "groups": [asdict(group) for group in slack.groups],
            "channels": [self._channel(me, channel) for channel in sees],
            "me": asdict(me),
            "connections": len(self.delivery.sockets) if slack.app.socket_mode else "http",
            "home_published": me.id in slack.homes,
            "features": self._features(),
        }

    def _channel(self, me: Person, channel: Channel) -> Json:
        read = channel.read.get(me.id, "0")
        new = [each for each in channel.messages.values() if each.ts > read and each.user != me.id and each.at_top]
        unread = sum(each.ephemeral_to in (None, me.id) for each in new)
        body: Json = {"id": channel.id, "name": channel.name, "is_member": me.id in channel.members}
        body |= {
            "is_ext_shared": channel.is_ext_shared,
            "is_archived": channel.is_archived,
            "is_private": channel.is_private,
            "is_im": channel.is_im,
        }
        return {**body, "members": channel.members, "unread": unread}

    async def messages(self, request: Json) -> Json:
        """A channel or a thread, oldest first; this marks it as read."""
        me, channel = self._person(request), self._channel_for(request)
        visible = [each for each in channel.messages.values() if each.ephemeral_to in (None, me.id)]
        thread_ts = request.get("thread_ts")
        if thread_ts:
            selected = [each for each in visible if thread_ts in (each.ts, each.thread_ts)]
        else:
            selected = [each for each in visible if each.at_top]
            channel.read[me.id] = next(reversed(channel.messages), "0")
        return {"messages": [self.delivery.slack.for_people(each) for each in selected]}

    async def read(self, request: Json) -> Json:
        """A channel, or `view` or `home`, as lines of text."""
        slack, me = self.delivery.slack, self._person(request)
        if request.get("view"):
            return {"lines": view_lines(slack, me, slack.view_json(top_view(slack, me)))}
        if request.get("home"):
            return {"lines": view_lines(slack, me, slack.view_json(self._home(me)))}
        return {"lines": lines_of(slack, me, self._channel_for(request))}

    async def view(self, request: Json) -> Json:
        """The top modal, or None."""
        slack = self.delivery.slack
        stack = slack.stack(self._person(request).id)
        return {"view": slack.view_json(stack[-1]) if stack else None, "stack": len(stack)}

    async def calls(self, request: Json) -> Json:
        """The Web API calls received, newest last."""
        method = request.get("method")
        return {"calls": [each for each in self.delivery.slack.calls if method in (None, "", each["method"])]}

    async def forget_calls(self, request: Json) -> Json:  # noqa: ARG002 - all are asked alike
        """Empty the list of calls."""
        self.delivery.slack.calls.clear()
        return {"ok": True}

    async def acknowledgements(self, request: Json) -> Json:  # noqa: ARG002 - all are asked alike
        """How long the app took to acknowledge what it got over Socket Mode, in real seconds, newest last."""
        return {"acknowledgements": list(self.delivery.sockets.acknowledged)}

    async def forget_acknowledgements(self, request: Json) -> Json:  # noqa: ARG002 - all are asked alike
        """Empty the list of acknowledgements."""
        self.delivery.sockets.acknowledged.clear()
        return {"ok": True}

    # what people do

    async def say(self, request: Json) -> Json:
        """Send a message or a command."""
        me, channel = self._person(request), self._channel_for(request)
        thread_ts = str(request["thread_ts"]) if request.get("thread_ts") else None
        return await say(self.delivery, me, channel, str(request.get("text") or ""), thread_ts)

    async def click(self, request: Json) -> Json:
        """Press a button or choose an option."""
        me = self._person(request)
        place = await self._place(me, request)
        if isinstance(place, View):
            take_state(place, (request.get("state") or {}).get("values") or {})
        return await click(self.delivery, me, place, request)

    async def options(self, request: Json) -> Json:
        """The app's options for an external select."""
        me = self._person(request)
        element = find_element(me, await self._place(me, request), request)
        return await suggestions(self.delivery, me, element, str(request.get("value") or ""))

    async def fill(self, request: Json) -> Json:
        """Fill in the top modal, and submit it if requested."""
        me, values = self._person(request), request.get("values") or {}
        if not isinstance(values, dict):
            raise NotPossible("invalid", "values must be an object: {block_id or label: value}.", status=400)
        await self._modal(me)
        await fill(self.delivery, me, values)
        return await submit(self.delivery, me) if request.get("submit") else {"ok": True}

    async def submit(self, request: Json) -> Json:
        """Submit the top modal with the page's state."""
        me = self._person(request)
        take_state(await self._modal(me), (request.get("state") or {}).get("values") or {})
        return await submit(self.delivery, me)

    async def close(self, request: Json) -> Json:
        """Close the top modal."""
        me = self._person(request)
        await self._modal(me)
        return await close(self.delivery, me, clear=bool(request.get("clear")))

    async def home(self, request: Json) -> Json:
        """Open App Home."""
        return await open_home(self.delivery, self._person(request))

    async def join(self, request: Json) -> Json:
        """Add a person to a channel."""
        slack = self.delivery.slack
        slack.enter(self._channel_for(request), slack.person(str(request.get("user") or "")).id)
        return {"ok": True}

    async def leave(self, request: Json) -> Json:
        """Remove a person from a channel."""
        slack = self.delivery.slack
        slack.leave(self._channel_for(request), slack.person(str(request.get("user") or "")).id)
        return {"ok": True}

    # changing the workspace

    async def sockets(self, request: Json) -> Json:
        """Disturb Socket Mode."""
        sockets = self.delivery.sockets
        if request.get("do") == "refresh":
            await sockets.refresh()
        elif request.get("do") == "link_disabled":
            await sockets.disable()
        elif request.get("do") == "cut":
            sockets.cut()
        elif request.get("do") == "silence":
            sockets.silence()
        else:
            raise NotPossible("invalid", 'do must be "refresh", "link_disabled", "cut" or "silence".', status=400)
        return {"ok": True, "connections": len(sockets)}

    async def channel(self, request: Json) -> Json:
        """Change a channel: {"channel", "archived"?, "name"?, "private"?, "shared"?}."""
        channel = self._channel_for(request)
        change: Json = {name: request[name] for name in ("archived", "private", "shared", "name") if name in request}
        wrong = [name for name, value in change.items() if not isinstance(value, str if name == "name" else bool)]
        if wrong or not change:
            raise NotPossible("invalid", "Send archived, private or shared as true or false, or a name.", status=400)
        self.delivery.slack.change_channel(channel, change)
        return {"ok": True, "id": channel.id}

    async def direct(self, request: Json) -> Json:
        """The direct conversation of a person with another one, or with the app: {"as", "with"}."""
        slack = self.delivery.slack
        partner = slack.person(str(request.get("with") or ""))
        return {"ok": True, "channel": slack.between(self._person(request).id, partner.id).id}

    async def token(self, request: Json) -> Json:
        """Revoke, restore or rotate the bot token, or uninstall the app: {"do"}. Rotating returns the new token."""
        slack, word = self.delivery.slack, request.get("do")
        if word in ("revoke", "uninstall"):
            slack.revoke(uninstall=word == "uninstall")
        elif word == "restore":
            slack.token_error = None
        elif word != "rotate":
            raise NotPossible("invalid", 'do must be "revoke", "restore", "rotate" or "uninstall".', status=400)
        return {"ok": True, "bot_token": slack.rotate() if word == "rotate" else slack.app.bot_token}

    async def features(self, request: Json) -> Json:  # noqa: ARG002 - all are asked alike
        """Whether plan blocks are supported, and which rate limits apply."""
        return self._features()

    def _features(self) -> Json:
        return {"plan": self.delivery.slack.plan_blocks, "rates": self.limits.rates}

    async def set_features(self, request: Json) -> Json:
        """Switch plan blocks and rate limits."""
        if isinstance(request.get("plan"), bool):
            self.delivery.slack.plan_blocks = request["plan"]
        rates = request.get("rates", self.limits.rates)
        if rates not in ("real", "generous"):
            raise NotPossible("invalid", 'rates must be "real" or "generous".', status=400)
        self.limits.rates = rates
        return self._features()

    async def set_manifest(self, request: Json) -> Json:
        """Register the app again: {"manifest": {..}}, {"request_url": ".."}, or both."""
        slack, manifest = self.delivery.slack, request.get("manifest")
        app = slack.app
        if manifest is not None:
            if problems := problems_of(manifest):
                raise NotPossible("invalid_manifest", "; ".join(map(str, problems)), status=400)
            app = app.with_manifest(manifest)
        if url := request.get("request_url"):
            app = app.with_request_url(str(url))
        slack.rename_app(app)
        slack.feed.publish({"type": "state"})
        return {"ok": True}

    async def verify(self, request: Json) -> Json:  # noqa: ARG002 - all are asked alike
        """Send the events address Slack's challenge, as its settings page does."""
        url = self.delivery.slack.app.events_url
        if url is None:
            raise NotPossible(
                "no_url", "The app has no address for events: it uses Socket Mode or subscribes to none.", status=400
            )
        return {"ok": await self.delivery.callbacks.verify(url)}

    @hangups
    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-Sent Events for one person."""
        try:
            me = self._person(dict(request.query))
        except NotPossible as error:
            return web.json_response({"error": error.message}, status=error.status)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await stream.prepare(request)
        with self.delivery.slack.feed.open(me.id) as queue:
            await stream.write(b": open\n\n")
            await _pump(stream, queue)
        return stream

    # persons and places

    def _person(self, request: Json) -> Person:
        name = request.get("as")
        if not name:
            raise NotPossible("invalid", 'Name the person who acts: "as": "alice".', status=400)
        return self.delivery.slack.person(str(name))

    def _channel_for(self, request: Json) -> Channel:
        name = request.get("channel")
        if not name:
            raise NotPossible("invalid", 'Name the channel: "channel": "edge-ops".', status=400)
        slack = self.delivery.slack
        channel = slack.conversation(str(name))
        if "as" in request and not slack.sees(slack.person(str(request["as"])), channel):
            raise NotPossible("channel_not_found", f"{request['as']} can't see #{channel.name}.", status=404)
        return channel

    async def _modal(self, me: Person) -> View:
        """The top modal; waits for one that the app opens a moment after its acknowledgement."""
        slack = self.delivery.slack
        await slack.feed.until(me.id, lambda: bool(slack.stack(me.id)), slack.timing.ack)
        return top_view(slack, me)

    async def _place(self, me: Person, request: Json) -> Message | View:
        if request.get("view"):
            return await self._modal(me)
        if request.get("home"):
            return self._home(me)
        channel = self._channel_for(request)
        if not request.get("ts"):
            slack = self.delivery.slack
            await slack.feed.until(me.id, lambda: self._newest(me, channel, request) is not None, slack.timing.ack)
        message = channel.messages.get(str(request["ts"])) if request.get("ts") else self._newest(me, channel, request)
        if message is None or message.ephemeral_to not in (None, me.id):
            raise NotPossible(
                "message_not_found",
                f"#{channel.name} has no message {request.get('ts', 'like that')}.",
                status=404,
            )
        if me.id not in channel.members:
            raise NotPossible("not_in_channel", f"{me.name} is not in #{channel.name}.")
        return message

    @staticmethod
    def _newest(me: Person, channel: Channel, request: Json) -> Message | None:
        """The latest message with the requested element, if no `ts` is given."""
        for message in reversed(channel.messages.values()):
            if message.ephemeral_to in (None, me.id) and has_element(me, message, request):
                return message
        return None

    def _home(self, me: Person) -> View:
        home = self.delivery.slack.homes.get(me.id)
        if home is None:
            raise NotPossible("no_home", f"The app has published no Home for {me.name}.", status=404)
        return home


async def _pump(stream: web.StreamResponse, queue: "asyncio.Queue[Json | None]") -> None:
    while True:
        try:
            async with asyncio.timeout(PULSE):
                event = await queue.get()
        except TimeoutError:
            line = ": pulse\n\n"
        else:
            if event is None:
                return
            line = f"data: {json.dumps(event)}\n\n"
        await stream.write(line.encode())


def answering(run: Run) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that takes the query or a JSON body, and answers in JSON, errors included."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await run(await _parameters(request)))
        except NotPossible as refusal:
            if refusal.status == web.HTTPOk.status_code:
                return web.json_response(refusal.body())
            return web.json_response({"error": refusal.message, "code": refusal.error}, status=refusal.status)

    return handler


async def _parameters(request: web.Request) -> dict[str, Any]:
    parameters: dict[str, Any] = dict(request.query)
    if request.can_read_body:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise NotPossible("invalid", "The body has to be a JSON object.", status=400)
        parameters |= body
    return parameters
