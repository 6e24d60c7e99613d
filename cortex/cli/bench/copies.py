"""A long history made of a shorter one: copies of its rows with ids and digests of their own.

Ten million events through the bus would take minutes and gigabytes for what only history is asked
about. A copy keeps kinds, agents, files, times and text; events, traces, spans, runs and states get
other ids. The copies are no part of the ledger, and what is asked of them never reads `raw`.
"""

from cortex.cli.bench.rig import Rig

OTHER = "if(e.{0} = '', '', lower(hex({1}(concat(e.{0}, '/', toString({{shift:UInt64}})))))) as {0}"
"""A text made of the one that is copied; what was empty stays so."""
MADE_OF = {
    "trace_id": "sipHash128",
    "span_id": "sipHash64",
    "run_id": "sipHash128",
    "context_hash": "SHA256",
    "previous_state_hash": "SHA256",
    "new_state_hash": "SHA256",
}
COPY = f"""
insert into swarm.events
select e.* replace (
    e.stream_seq + {{shift:UInt64}} as stream_seq,
    generateUUIDv4() as event_id,
    now64(3, 'UTC') as ingested_at,
    {", ".join(OTHER.format(*one) for one in MADE_OF.items())}
)
from swarm.events as e
where e.stream_seq <= {{count:UInt64}}
"""


def multiply(rig: Rig, events: int, total: int) -> None:
    """Copy the first `events` rows until there are `total` or a little more."""
    for shift in range(events, total, events):
        rig.writer.command(COPY, {"shift": shift, "count": events})
