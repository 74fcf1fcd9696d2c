"""Sends spans to an OpenTelemetry collector, by OTLP over HTTP. Imported only where the settings name one.

The provider is this module's own and not the process's: the libraries that look for one, such as Azure's identity
client, make no spans and send no trace headers of their own.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from requests import Session
from requests.adapters import HTTPAdapter

from bot import __version__
from bot.collector import Collector
from services.model.redaction import scrub
from services.traces import Span, SpanIds, Traces

_KINDS = {"internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT}
_LAST_EXPORT = 5.0
"""Seconds that the end of the process waits for the spans that are not sent yet."""
log = structlog.get_logger("traces")


@asynccontextmanager
async def open_traces(collector: Collector, *, instance: str) -> AsyncIterator[Traces]:
    """Traces that reach the collector. `instance` tells this process from others.

    Attributes of the resource, such as the environment's name, come from `OTEL_RESOURCE_ATTRIBUTES`. Every span is
    sent: what to keep is for the collector to decide, which sees whole traces.
    """
    ids = _GivenIds()
    attributes = {"service.name": "registry-bot", "service.version": __version__, "service.instance.id": instance}
    provider = TracerProvider(
        sampler=ALWAYS_ON, resource=Resource.create(attributes), id_generator=ids, shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(collector.url, headers=collector.header_values(), session=_session(collector))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("registry-bot", __version__)

    def send(span: Span) -> None:
        parent = set_span_in_context(NonRecordingSpan(_context(span.parent)), Context()) if span.parent else Context()
        ids.next = span.ids
        recorded = tracer.start_span(
            span.name,
            parent,
            kind=_KINDS[span.kind],
            attributes={
                name: scrub(value) if isinstance(value, str) else value for name, value in span.attributes.items()
            },
            links=[Link(_context(link)) for link in span.links],
            start_time=span.began,
        )
        if span.failed:
            recorded.set_status(Status(StatusCode.ERROR))
        recorded.end(span.ended)

    def collect(span: Span) -> None:
        try:
            send(span)
        except Exception:  # the work goes on, whatever its trace lacks
            log.exception("span_lost", span=span.name)

    try:
        yield Traces(collect)
    finally:
        try:
            async with asyncio.timeout(_LAST_EXPORT):
                await asyncio.to_thread(provider.shutdown)
        except TimeoutError:
            log.warning("spans_lost", reason="the collector did not answer in time")


class _GivenIds(IdGenerator):
    """Gives a span the ids that it has already; `send` runs on one thread, and from id to span without a break."""

    next = SpanIds("", "")

    def generate_span_id(self) -> int:
        return int(self.next.span, 16)

    def generate_trace_id(self) -> int:
        return int(self.next.trace, 16)


def _context(ids: SpanIds) -> SpanContext:
    return SpanContext(
        int(ids.trace, 16), int(ids.span, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )


def _session(collector: Collector) -> Session | None:
    """One that trusts `ca_file` besides the system's authorities; the exporter's own can only replace them."""
    if collector.ca_file is None:
        return None
    context = ssl.create_default_context()
    context.load_verify_locations(collector.ca_file)

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
            super().init_poolmanager(connections, maxsize, block, ssl_context=context, **options)

    session = Session()
    session.mount("https://", Adapter())
    return session
