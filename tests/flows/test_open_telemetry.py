"""What a collector of traces gets: a trace for each command and each operation, across restarts, and no secret."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.flows.conversation import Conversation, conversation
from tests.span_collector import ReceivedSpan, SpanCollector, collecting

# An extra of the bot; `make` installs it for the tests.
pytest.importorskip("opentelemetry.exporter.otlp.proto.http")


@pytest.fixture
async def traced(tmp_path: Path) -> AsyncIterator[Conversation]:
    """The bot in the default world, with a collector."""
    async with collecting() as spans, conversation(tmp_path, spans=spans) as talk:
        yield talk


async def test_an_operation_is_one_trace_from_plan_to_end_whichever_process_played_it(traced: Conversation) -> None:
    await traced.hold("PUT .*/scopeMaps/")
    await traced.say("deploy edge01 --site berlin", quiet=False)
    await traced.running("scope_map.put")
    await traced.restart()
    await traced.let_go()
    await traced.quiet()
    await traced.click("Show details", as_="alice")
    trace = await _trace_on_details(traced)
    spans = await _collected(traced)

    of_operation = {span.id: span for span in spans.of(trace)}
    outline = Counter(_outline(span, of_operation) for span in of_operation.values() if _is_structure(span))
    assert sorted(outline.items()) == snapshot(
        [
            ("plan deploy", 1),
            ("plan deploy > confirm", 1),
            ("plan deploy > run deploy", 1),
            ("plan deploy > run deploy > acr.data_endpoint", 1),
            ("plan deploy > run deploy > acr.import", 1),
            ("plan deploy > run deploy > cluster.verify", 1),
            ("plan deploy > run deploy > connected.create", 1),
            ("plan deploy > run deploy > connected.online", 1),
            ("plan deploy > run deploy > connected.synced", 1),
            ("plan deploy > run deploy > end", 1),
            ("plan deploy > run deploy > extension.install", 1),
            ("plan deploy > run deploy > provider.register", 1),
            ("plan deploy > run deploy > scope_map.put", 1),
            ("plan deploy > run deploy > service_ip.hold", 1),
            ("plan deploy > run deploy > sync_token.put", 1),
        ]
    )
    assert {span.parent for span in of_operation.values()} - of_operation.keys() == {""}
    calls = {span.name.split()[0] for span in of_operation.values() if span.kind == CLIENT}
    assert {"PUT", "GET", "list", "slack"} <= calls
    assert {span.service for span in of_operation.values()} == {"registry-bot"}


async def test_a_command_is_a_trace_that_is_linked_to_its_operation(traced: Conversation) -> None:
    await traced.say("deploy edge01 --site hamburg")
    await traced.click("Show details", as_="alice")
    trace = await _trace_on_details(traced)
    await traced.click("Cancel", as_="alice")
    spans = await _collected(traced)

    commands = [span for span in spans.spans if span.kind == SERVER]
    results = [(span.name, span.links == (trace,), span.attributes["command.result"]) for span in commands]
    assert results == [
        ("/registry deploy", True, "done"),
        ("/registry operation show", False, "done"),
        ("/registry operation cancel", True, "done"),
    ]
    assert len({span.trace for span in commands} | {trace}) == len(commands) + 1
    assert "slack users.info" in {span.name for span in spans.of(commands[0].trace)}


SERVER, CLIENT, INTERNAL = 2, 3, 1


async def _trace_on_details(talk: Conversation) -> str:
    texts = str(await talk.messages("alice"))
    return texts.partition("Trace id: `")[2].partition("`")[0]


async def _collected(talk: Conversation) -> SpanCollector:
    """Everything, since a bot that stops sends what it has."""
    await talk.life.aclose()
    assert talk.spans is not None
    return talk.spans


def _is_structure(span: ReceivedSpan) -> bool:
    """How often a step is begun and whether it has to wait depends on how fast the world is."""
    return span.kind == INTERNAL and span.name not in {"begin", "wait"}


def _outline(span: ReceivedSpan, spans: dict[str, ReceivedSpan]) -> str:
    parent = spans.get(span.parent)
    return f"{_outline(parent, spans)} > {span.name}" if parent else span.name
