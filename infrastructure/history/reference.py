"""`python -m infrastructure.history.reference PROTO`: the public tables and views, as Markdown.

Makes an empty history in a temporary directory and describes what the migrations put there, so
`docs/reference/sql.md` cannot say anything else than the schema does. What a column means comes
from its comment, else from the comment of the contract's field of that name.
"""

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import migrate

PUBLIC = {
    "events": "Every message of the stream, one row each, in the order of the stream.",
    "decisions": "Why an agent went one way and not another.",
    "state_changes": "What became of files, variables, schemas.",
    "signals": "How agents are doing.",
    "workspaces": "Which workspaces came to be, and from what.",
    "tool_calls": "What tools were called with, and what came of it.",
    "model_calls": "What models were asked, how long it took and what it cost.",
    "usage": "What an agent of a run took of a model: tokens and their price.",
    "sessions": "One row per session of a foreign agent and source that tells of it.",
    "tasks": "One row per task of a run: its newest state.",
    "steps": "One row per step that agents share: its newest state.",
    "messages": "What agents told each other, and who has read it.",
    "memory": "One row per value that agents share: its newest content. Deleted ones are left out.",
    "artifacts": "One row per version of each result that agents stored for each other.",
    "agents": "One row per agent.",
    "runs": "One row per run; its state where an orchestrator leads it.",
    "ledger": "One row per batch: its root, and the head that notes it.",
    "dead_letters": "Messages that are no events, with the reason.",
    "spans": "OpenTelemetry spans, columns named as the OpenTelemetry collector's exporter does.",
    "blobs": "Content by its SHA-256, in chunks.",
}
HEAD = """# SQL tables

Written by `make docs` from the schema; database `swarm`. Rows are only ever added. The views of \
events leave out rows that are
repeated (`is_repeated`); `swarm.events` shows them all. What is not listed here is not public and \
may change.

"""


DERIVED = {
    "first_seen": "time of the first event",
    "last_seen": "time of the newest event",
    "events": "how many events",
    "decisions": "how many of them are decisions",
    "state_changes": "how many are state changes",
    "signals": "how many are signals",
    "failures": "signals with status CRITICAL_FAILURE",
    "runs": "how many runs the agent took part in",
    "agents": "how many agents took part",
    "tool_calls": "how many calls of tools",
    "model_calls": "how many calls of models",
    "task": "text of the run's task",
    "model": "model that works on the run",
    "branch": "branch that the run's work lies on",
    "finished_at": "time of the transition that ended the run; null while it goes on",
    "title": "the task in a few words",
    "role": "role of the agents that may take the task",
    "task_result": "JSON object: what came of the task; empty until it ends",
    "created_at": "time of the first transition",
    "updated_at": "time of the newest transition",
    "transitions": "how many transitions",
    "project": "project of the agents that share it",
    "step_expires_at": "when the lease runs out; null where nobody holds the step",
    "next_agent": "agent that the handoff record names as the next",
    "next_action": "what the handoff record says is to be done next",
    "note": "note of the handoff record",
    "changed_files": "files that the handoff record names",
    "completed_by": "agent that brought the step to its end; empty before",
    "read_by": "agents that have been shown it",
    "revision": "sequence of the newest change, which a conditional change names",
    "changed_by": "agent of the newest change",
    "changes": "how many changes",
    "stored_at": "time when it was stored",
    "stored_by": "agent that stored it",
    "is_newest": "no later version of this name exists",
    "prev_seq": "sequence of the head before",
    "event_count": "messages in the batch",
    "stream_identity": "the stream's name and creation time",
    "prev_root": "root before, hex",
    "root": "root after, hex",
    "head": "the root with its place, as `swarm verify --expect` takes it",
    "raw_bytes": "length of the message",
    "content": "bytes of the chunk",
}
OF_VIEW = {
    "tasks": {
        "task_document": "JSON object: the task as it was created",
        "event_id": "event of the newest transition",
    },
    "artifacts": {"event_id": "event that stored it"},
    "steps": {
        "step_state": "newest state; pending where the lease has run out by now",
        "step_fence": "sequence of the newest claim; 0: nobody has claimed it",
        "event_id": "event of the newest transition",
    },
    "memory": {
        "event_id": "event of the newest change",
        "created_at": "time of the first change",
        "updated_at": "time of the newest change",
    },
    "sessions": {
        "session_id": "the harness's own name for it; of a sub-agent with the agent behind a slash",
        "run_id": "the session that it belongs to: its own, or the one that started it",
        "parent_agent_id": "agent that started this one; empty: nobody",
        "harness": "claude-code, codex, ...",
        "source": "who tells of it: transcript, hook, import",
        "sources": "all that tell of it",
        "mapper": "name and version of what read it",
        "path": "where the transcript lay",
        "cwd": "directory that the agent worked in",
        "model": "first model that it names",
        "version": "of the harness",
        "branch": "branch that the agent worked on",
        "title": "as the harness calls it",
        "first_seen": "first time in it",
        "last_seen": "newest time in it",
        "stored_at": "when history got its newest lines",
        "is_redacted": "secrets were taken out",
        "lines": "lines of the transcript, or rows of a database",
        "bytes": "length of the transcript, in bytes",
        "decisions": "texts and thoughts of the model",
        "assistant_text": "texts that the model wrote, none of them blank",
        "thinking": "its thoughts",
        "user_prompts": "what it was asked",
        "tool_calls": "calls of tools that the model asked for",
        "tool_results": "answers of tools",
        "unanswered_calls": "calls without an answer",
        "orphan_results": "answers without a call",
        "edit_calls": "calls of tools that change files",
        "file_edits": "changes of files that the answers prove",
        "errors": "answers that are errors",
        "nonzero_exit": "commands that ended with a status other than 0, their answers no errors",
        "api_errors": "times that the model could not be asked",
        "malformed_lines": "lines that are not one JSON object",
        "recovered_records": "objects that were read out of such lines",
        "subagent_calls": "calls that start a sub-agent",
        "files_touched": "different files that were changed",
        "files_created": "files that were made, where the transcript tells",
        "structured_patch_hunks": "hunks of patches, where the transcript has them",
        "api_messages": "answers of the model, where the transcript tells them apart",
        "counts": "all counts, those that only some formats have among them",
        "redactions": "what was taken out, by kind",
        "drift": "types of lines and blocks that the reader does not know, and how many",
        "generation": "how often the transcript was found to be rewritten",
    },
    "usage": {
        "calls": "how many answers",
        "input_tokens": "as the harness counts them: with Codex and Gemini those of the cache, too",
        "output_tokens": "tokens of the answers",
        "cache_read_tokens": "tokens that came from the cache",
        "cache_write_tokens": "tokens that went into the cache",
        "cost_microusd": "known price, in millionths of a US dollar",
    },
    "tool_calls": {
        "sources": "of a foreign agent's call: who tells of it (transcript, hook, import)",
    },
    "runs": {
        "run_state": "newest state; empty for a run that no orchestrator leads",
        "run_reason": "why it got that state",
        "cost_microusd": "known price of its calls of models, in millionths of a US dollar",
    },
}
"""What a column of a view means where it is not what the event's column means."""
_FIELD = re.compile(r"((?:^ *//.*\n)+)^ *[\w.<>, ]+ (\w+) = \d+;", re.MULTILINE)


def field_meanings(proto: str) -> dict[str, str]:
    """Return the comment of each field in the text of a .proto file, by the field's name."""
    return {
        name: " ".join(line.strip().removeprefix("//").strip() for line in comment.splitlines())
        for comment, name in _FIELD.findall(proto)
    }


def reference(client: HistoryClient, proto: str) -> str:
    """Return the page."""
    rows = client.query(resources.files(__package__).joinpath("queries/columns.sql").read_text())
    tables: dict[str, list[Mapping[str, Any]]] = {name: [] for name in PUBLIC}
    for row in rows:
        if row["table"] in tables:
            tables[row["table"]].append(row)
    meanings = DERIVED | field_meanings(proto)
    meanings |= {row["name"]: row["comment"] for row in tables["events"] if row["comment"]}
    sections = [
        _section(name, columns, meanings | OF_VIEW.get(name, {}))
        for name, columns in tables.items()
    ]
    return HEAD + "\n".join(sections)


def _section(name: str, columns: Sequence[Mapping[str, Any]], meanings: Mapping[str, str]) -> str:
    return "\n".join([f"## swarm.{name}", "", PUBLIC[name], "", *_table(columns, meanings), ""])


def _table(columns: Sequence[Mapping[str, Any]], meanings: Mapping[str, str]) -> Iterator[str]:
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in columns:
        meaning = column["comment"] or meanings.get(column["name"], "")
        yield f"| `{column['name']}` | `{column['type']}` | {meaning} |"


def main() -> None:
    """Print the page."""
    proto = Path(sys.argv[1]).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        config = HistoryConfig.from_env({"SWARM_CLICKHOUSE_DSN": f"chdb://{folder}/history"})
        with open_history(config) as client:
            migrate(client)
            sys.stdout.write(reference(client, proto))


if __name__ == "__main__":
    main()
