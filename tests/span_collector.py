"""An OpenTelemetry collector: takes OTLP over HTTP, as protobuf, and keeps the spans."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class ReceivedSpan:
    """One span as the collector has it; ids are hexadecimal, `parent` is empty for a root."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    failed: bool
    attributes: dict[str, Any]
    links: tuple[str, ...]
    """Ids of the traces that it is linked to."""
    service: str
    began: int
    ended: int


@dataclass
class SpanCollector:
    """What has arrived at it. `status` is what it answers with."""

    url: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each export, by their names in lower case."""
    status: int = 200

    def of(self, trace: str) -> list[ReceivedSpan]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace == trace]

    async def receive(self, request: web.Request) -> web.Response:
        """POST /v1/traces (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request)."""
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        body = await request.read()
        if not body:  # an export without spans
            return web.Response(status=self.status, content_type="application/x-protobuf")
        # The packages are an extra: only whoever sends spans here has them.
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415

        message: Any = ExportTraceServiceRequest()
        message.ParseFromString(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)
        for resource in message.resource_spans:
            service = _values(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [_received(span, service) for span in scope.spans]
        return web.Response(status=self.status, content_type="application/x-protobuf")


def _received(span: Any, service: str) -> ReceivedSpan:
    return ReceivedSpan(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=span.kind,
        failed=span.status.code == 2,
        attributes=_values(span.attributes),
        links=tuple(link.trace_id.hex() for link in span.links),
        service=service,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@asynccontextmanager
async def collecting() -> AsyncIterator[SpanCollector]:
    """A collector that listens on this machine."""
    collector = SpanCollector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    try:
        yield collector
    finally:
        await runner.cleanup()
