"""Rows of swarm.events in a form that loses nothing: bytes as hex, times as nanoseconds."""

import json
from typing import Any

from infrastructure.history.client import HistoryClient

_COLUMNS = """
select
    * except (event_time, ingested_at, ledger_prev, ledger_root) replace (
        hex(raw) as raw,
        hex(subject) as subject,
        hex(previous_digest) as previous_digest,
        hex(original_digest) as original_digest,
        hex(resource_bytes) as resource_bytes,
        hex(line_bytes) as line_bytes,
        reinterpretAsUInt32(confidence_score) as confidence_score
    ),
    toUnixTimestamp64Nano(event_time) as event_time,
    hex(ledger_root) as ledger_root
from swarm.events
where stream = {stream:String}
order by stream_seq
"""


def stored_rows(client: HistoryClient, stream: str = "ENCHANTED_SWARM") -> list[dict[str, Any]]:
    """Return the rows of a stream, in order."""
    text = client.raw(
        _COLUMNS, {"stream": stream}, settings={"output_format_json_quote_64bit_integers": "0"}
    )
    return [json.loads(line) for line in text.splitlines()]
