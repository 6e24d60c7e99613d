"""Spans leave over OTLP/HTTP: to the home's stack, or where the standard variables say."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nats
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

import nervous_system as ns
from nervous_system.comms.streams import declare_content_bucket, declare_streams, swarm_streams
from tests.support.servers import NatsServer


class Receiver:
    """An OTLP receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.requests: list[ExportTraceServiceRequest] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.paths.append(self.path)
                receiver.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
async def home(nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    client = await nats.connect(nats_server.url)
    await declare_streams(client.jetstream(), swarm_streams(max_bytes=10**9))
    await declare_content_bucket(client.jetstream(), max_bytes=10**8)
    await client.close()
    monkeypatch.setenv("SWARM_NATS_URL", nats_server.url)
    monkeypatch.setenv("SWARM_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


async def work() -> ns.SwarmEvent:
    """Return the event of a decision made inside a span."""
    async with ns.connect() as swarm:
        async with swarm.agent("coder-1", role="coder", run_id="r1", name="Coder") as agent:
            with agent.span("refactor"), agent.tool_span("grep", call_id="c7"):
                await agent.decide(rationale="x", wait=True)
        (found,) = [one.event async for one in swarm.replay(start=2, end=2)]
    return found


async def test_spans_go_to_the_stack_of_the_home(home: Path, receiver: Receiver) -> None:
    """Ids of event and span agree; attributes have their conventional names."""
    (home / "stack.json").write_text(json.dumps({"otlp_url": receiver.url}), encoding="utf-8")
    event = await work()
    assert receiver.paths == ["/v1/traces"]
    spans = {span.name: span for span in receiver.spans}
    assert event.span_id == spans["execute_tool grep"].span_id.hex()
    assert event.trace_id == spans["refactor"].trace_id.hex()
    assert spans["execute_tool grep"].parent_span_id == spans["refactor"].span_id
    attributes = {one.key: one.value.string_value for one in spans["execute_tool grep"].attributes}
    assert attributes == {
        "gen_ai.agent.id": "coder-1",
        "gen_ai.agent.name": "Coder",
        "gen_ai.conversation.id": "r1",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "grep",
        "gen_ai.tool.call.id": "c7",
    }


async def test_standard_variable_comes_before_the_stack(
    home: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_SERVICE_NAME are obeyed."""
    stack = json.dumps({"otlp_url": "http://127.0.0.1:1"})
    (home / "stack.json").write_text(stack, encoding="utf-8")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "my-swarm")
    await work()
    (request,) = receiver.requests
    resource = {
        one.key: one.value.string_value for one in request.resource_spans[0].resource.attributes
    }
    assert resource["service.name"] == "my-swarm"


async def test_disabled_export_sends_nothing_and_events_keep_ids(
    home: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OTEL_TRACES_EXPORTER=none."""
    (home / "stack.json").write_text(json.dumps({"otlp_url": receiver.url}), encoding="utf-8")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    event = await work()
    assert receiver.requests == []
    assert len(event.trace_id) == 32


async def test_receiver_that_is_away_harms_nobody(home: Path) -> None:
    """Events arrive, and the agent hears nothing of it."""
    stack = json.dumps({"otlp_url": "http://127.0.0.1:1"})
    (home / "stack.json").write_text(stack, encoding="utf-8")
    assert (await work()).decision.rationale == "x"
