"""A local HTTP server that speaks OpenAI's chat protocol, as well or as badly as a test wants.

Each request takes the next reply of the script; the last one is repeated for ever. Real sockets:
what breaks off here breaks off for the client too.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one request gets."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_truncated: bool = False
    """Announce the whole body, send half of it, and hang up."""
    is_silent: bool = False
    """Take the request and never answer."""


def answer(
    arguments: Mapping[str, Any], *, input_tokens: int = 100, output_tokens: int = 20
) -> Reply:
    """A good answer: the arguments of the structured output."""
    return Reply(body=_completion(json.dumps(arguments), input_tokens, output_tokens))


def rubbish(text: str = "certainly! here is { your answer") -> Reply:
    """An answer of the right protocol whose structured output is none."""
    return Reply(body=_completion(text, 100, 20))


def malformed(body: bytes = b"<html>gateway</html>") -> Reply:
    """A body that is no answer of the protocol."""
    return Reply(body=body)


def failure(status: int, *, body: Any = None, **headers: str) -> Reply:
    """An error; underscores in the names of headers become dashes."""
    said = body or {"error": {"message": "no", "type": "server_error", "code": "server_error"}}
    return Reply(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=json.dumps(said).encode(),
    )


def cut_short(text: str = '{"tasks": [') -> Reply:
    """An answer that ends where the provider's limit of tokens was."""
    body = json.loads(_completion(text, 100, 20))
    body["choices"][0]["finish_reason"] = "length"
    return Reply(body=json.dumps(body).encode())


def truncated(arguments: Mapping[str, Any]) -> Reply:
    """A good answer that breaks off half-way."""
    return Reply(body=_completion(json.dumps(arguments), 100, 20), is_truncated=True)


def silent() -> Reply:
    """No answer at all."""
    return Reply(is_silent=True)


def without_usage(arguments: Mapping[str, Any]) -> Reply:
    """A good answer that says nothing of tokens."""
    body = json.loads(_completion(json.dumps(arguments), 0, 0))
    del body["usage"]
    return Reply(body=json.dumps(body).encode())


def embeddings(vectors: Sequence[Sequence[float]], *, input_tokens: int = 7) -> Reply:
    """A good answer to a request for vectors."""
    data = [
        {"object": "embedding", "index": place, "embedding": list(vector)}
        for place, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": input_tokens, "total_tokens": input_tokens}
    body = {"object": "list", "data": data, "model": "test-model", "usage": usage}
    return Reply(body=json.dumps(body).encode())


def _completion(arguments: str, input_tokens: int, output_tokens: int) -> bytes:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "final_result", "arguments": arguments},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "test-model",
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
            "usage": {
                "prompt_tokens": input_tokens,
                "completion_tokens": output_tokens,
                "total_tokens": input_tokens + output_tokens,
            },
        }
    ).encode()


@dataclass(slots=True)
class OpenAIServer:
    """A running server."""

    url: str
    """What OPENAI_BASE_URL is set to."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """The bodies that came, in order."""
    authorizations: list[str] = field(default_factory=list)
    """Their Authorization headers."""
    paths: list[str] = field(default_factory=list)
    """What they asked for, without the query."""

    def prompt(self, place: int = -1) -> str:
        """All that a request said to the model."""
        return json.dumps(self.requests[place]["messages"])


@asynccontextmanager
async def running_openai_server(replies: Sequence[Reply]) -> AsyncIterator[OpenAIServer]:
    """Serve the replies one after the other, on a free port of loopback."""
    script = list(replies)
    server = OpenAIServer("")
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            await _serve(reader, writer, script, server)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            handlers.discard(task)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listening.close()
        for task in list(handlers):
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    script: list[Reply],
    server: OpenAIServer,
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in head[1:] if ": " in line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    server.requests.append(json.loads(body))
    server.authorizations.append(headers.get("authorization", ""))
    server.paths.append(head[0].split(" ")[1].partition("?")[0])
    reply = script.pop(0) if len(script) > 1 else script[0]
    if reply.is_silent:
        await asyncio.Event().wait()
    lines = [f"HTTP/1.1 {reply.status} X", "Content-Type: application/json", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    lines.append(f"Content-Length: {len(reply.body)}")
    sent = reply.body[: len(reply.body) // 2] if reply.is_truncated else reply.body
    writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
    await writer.drain()
