"""Replies of Anthropic's messages protocol, for the server of `openai_server`."""

import json
from collections.abc import Mapping
from typing import Any

from tests.support.openai_server import Reply


def said(
    arguments: Mapping[str, Any], *, input_tokens: int = 100, output_tokens: int = 20
) -> Reply:
    """A good answer: the input of the structured output's tool."""
    content = {"type": "tool_use", "id": "toolu_1", "name": "final_result", "input": arguments}
    return Reply(body=_message(content, "tool_use", input_tokens, output_tokens))


def babble(text: str = "certainly! here is { your answer") -> Reply:
    """An answer of the right protocol that is no structured output."""
    return Reply(body=_message({"type": "text", "text": text}, "end_turn", 100, 20))


def cut(arguments: Mapping[str, Any]) -> Reply:
    """An answer that ends where the provider's limit of tokens was, with what had come by then."""
    content = {"type": "tool_use", "id": "toolu_1", "name": "final_result", "input": arguments}
    return Reply(body=_message(content, "max_tokens", 100, 20))


def refused(status: int, kind: str, **headers: str) -> Reply:
    """An error; underscores in the names of headers become dashes."""
    body = {"type": "error", "error": {"type": kind, "message": "no"}}
    return Reply(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=json.dumps(body).encode(),
    )


def broken_off(arguments: Mapping[str, Any]) -> Reply:
    """A good answer of which half arrives."""
    return Reply(body=said(arguments).body, is_truncated=True)


def _message(
    content: Mapping[str, Any], stop_reason: str, input_tokens: int, output_tokens: int
) -> bytes:
    return json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "test-model",
            "content": [content],
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": {"input_tokens": input_tokens, "output_tokens": output_tokens},
        }
    ).encode()
