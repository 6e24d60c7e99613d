"""Every endpoint on a real stack: what it answers fits its documented model, and is true."""

import gzip
from hashlib import sha256
from typing import Any

import pytest
from pydantic import TypeAdapter

from mission_control.server import models
from tests.integration.dashboard.conftest import Shown
from tests.support.dashboard import Dashboard, api_path
from tests.support.recorded_swarm import (
    BINARY,
    HOSTILE,
    MANY,
    MANY_EVENTS,
    RUN,
    SPAN,
    TRACE,
    WORKSPACE,
)

EDITED = b"one\nTWO\nthree\n"
APP = {"resource": "src/app.py"}


def documented(names: dict[str, str]) -> list[tuple[Any, str, dict[str, Any]]]:
    """Return each endpoint's model with a request that it answers."""
    edit = {"at": names["edit"]}
    return [
        (models.Session, "/session", {}),
        (models.RunPage, "/runs", {}),
        (models.RunDetail, f"/runs/{RUN}", {}),
        (models.Replay, f"/runs/{RUN}/replay", {}),
        (models.Density, f"/runs/{RUN}/density", {"buckets": 7}),
        (models.AgentList, "/agents", {}),
        (models.AgentList, "/agents", {"run_id": RUN}),
        (models.EventPage, "/events", {"limit": 1000}),
        (models.EventDetail, f"/events/{names['edit']}", {}),
        (models.EventDetail, f"/events/{names['hostile']}", {}),
        (models.Trace, f"/traces/{TRACE}", {}),
        (models.ResourceList, "/resources", {"workspace_id": WORKSPACE}),
        (models.ResourceList, "/resources", edit),
        (models.ResourceHistory, "/resources/history", {"name": "kept.txt"}),
        (models.State, "/state", edit),
        (models.ResourceContent, "/state", {**edit, **APP}),
        (list[models.Difference], "/diff", {"from_": names["start"], "to": names["odd"]}),
        (models.Why, "/why", {**APP, "line": 2, "workspace_id": WORKSPACE}),
        (models.Why, "/why", {**APP, "workspace_id": WORKSPACE}),
        (models.Ledger, "/ledger", {}),
        (models.Health, "/health", {}),
    ]


@pytest.mark.parametrize("number", range(21))
def test_answer_fits_its_documented_model(shown: Shown, number: int) -> None:
    """No column too many, none missing, none of another type."""
    listed = documented(shown.names)
    assert len(listed) == 21
    model, path, parameters = listed[number]
    reply = shown.dashboard.ask(api_path(path, **parameters))
    assert reply.status == 200, reply.body[:1000]
    TypeAdapter(model).validate_json(reply.body, strict=True)


def test_session_says_how_the_browser_reaches_the_bus(shown: Shown) -> None:
    session = shown.dashboard.get("/session")
    record = shown.stack.record
    assert session["home_name"] == "project"
    assert session["nats"]["url"] == record["dashboard_ws_url"]
    user, password = session["nats"]["user"], session["nats"]["password"]
    assert record["dashboard_nats_url"].startswith(f"nats://{user}:{password}@")
    assert session["nats"]["inbox_prefix"] == "_INBOX_dashboard"
    heads = {head["stream"]: head["stream_seq"] for head in session["ledger_heads"]}
    assert heads["ENCHANTED_SWARM"] > MANY_EVENTS


def test_runs_come_in_pages_each_once_newest_first(dashboard: Dashboard) -> None:
    pages = dashboard.pages("/runs", 1)
    assert [[run["run_id"] for run in page] for page in pages] == [[MANY], [RUN]]
    assert [run["run_id"] for run in dashboard.get("/runs", state="running")["items"]] == [RUN]


def test_run_has_tasks_costs_and_what_it_is_about(dashboard: Dashboard) -> None:
    run = dashboard.get(f"/runs/{RUN}")
    assert (run["state"], run["task"], run["branch"]) == ("RUNNING", "Say it loud", "swarm/x")
    assert {task["task_id"]: task["state"] for task in run["tasks"]} == {
        "plan": "DONE",
        "code": "REVIEW",
    }
    code = next(task for task in run["tasks"] if task["task_id"] == "code")
    assert (code["depends_on"], code["unresolved"]) == (["plan"], ["line 3: no safe fix"])
    assert run["outcome"] is None
    assert run["models"] == [
        {"model": "offline", "calls": 1, "input_tokens": 7, "output_tokens": 3, "cost_microusd": 11}
    ]
    assert run["workspaces"][0]["workspace_id"] in {RUN, WORKSPACE}


def test_agent_shows_its_newest_signal_decision_and_failure(dashboard: Dashboard) -> None:
    agents = {agent["agent_id"]: agent for agent in dashboard.get("/agents")["items"]}
    assert agents["architect-1"]["failures"] == 1
    coder = agents["coder-1"]
    assert coder["last_decision"]["rationale"].startswith("<script>")
    assert len(coder["last_decision"]["rationale"]) == 500
    assert coder["status"] == "STOPPED"
    assert coder["current_span"]["span_id"] == SPAN
    assert coder["current_span"]["name"] == "edit"
    assert len(agents["coder-2"]["cpu"]) == 60


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_events_hold_every_event_once_in_order(dashboard: Dashboard, order: str) -> None:
    pages = dashboard.pages("/events", 100, run_id=MANY, order=order, kind="system_signal")
    found = [event["stream_seq"] for page in pages for event in page]
    assert found == sorted(set(found), reverse=order == "desc")
    assert len(found) >= MANY_EVENTS
    assert [len(page) for page in pages[:-1]] == [100] * (len(pages) - 1)


def test_events_before_a_place_are_those_of_its_stream_up_to_it(dashboard: Dashboard) -> None:
    newest, *older = dashboard.get("/events", run_id=MANY, limit=5)["items"]
    before = f"{newest['stream']}:{newest['stream_seq']}"
    assert dashboard.get("/events", run_id=MANY, limit=4, before=before)["items"] == older
    everything = dashboard.pages("/events", 1000, run_id=MANY, order="asc", before=before)
    assert everything[-1][-1] == older[0]
    elsewhere = dashboard.get("/events", run_id=MANY, before="SWARM_COORDINATION:9")["items"]
    assert [event for event in elsewhere if event["stream"] == newest["stream"]] == []


def test_filters_of_events_are_all_asked_for(dashboard: Dashboard, names: dict[str, str]) -> None:
    asked = {"role": "coder", "kind": "decision,state_change", "agent_id": "coder-1"}
    kinds = [event["kind"] for event in dashboard.get("/events", **asked)["items"]]
    assert sorted(set(kinds)) == ["decision", "state_change"]
    [found] = dashboard.get("/events", text="IN CAPITALS", **asked)["items"]
    assert found["event_id"] == names["decision"]
    [found] = dashboard.get("/events", resource="src/app.py", workspace_id=WORKSPACE)["items"]
    assert found["event_id"] == names["edit"]
    assert dashboard.get("/events", run_id=RUN, to="2001-01-01")["items"] == []
    assert dashboard.get("/events", run_id=RUN, from_="0s")["items"] == []


def test_event_is_linked_to_causes_effects_and_ledger(
    dashboard: Dashboard, names: dict[str, str]
) -> None:
    edit = dashboard.get(f"/events/{names['edit']}")
    assert [cause["event_id"] for cause in edit["causes"]] == [names["decision"]]
    assert edit["causes"][0]["summary"] == "say it in capitals"
    assert edit["ledger"]["prev_seq"] < edit["stream_seq"] <= edit["ledger"]["stream_seq"]
    decision = dashboard.get(f"/events/{names['decision'][:30]}")
    assert [effect["event_id"] for effect in decision["effects"]] == [names["edit"]]
    by_place = dashboard.get(f"/events/%23{edit['stream_seq']}")
    assert by_place == edit


def test_event_is_the_one_that_the_command_line_shows(shown: Shown) -> None:
    [listed] = [
        event
        for event in shown.stack.json("events", "--run", RUN, "--kind", "decision")
        if event["event_id"] == shown.names["decision"]
    ]
    [answered] = shown.dashboard.get("/events", text="say it in capitals")["items"]
    assert answered == {**listed, "cut": []}


def test_very_long_text_is_cut_in_lists_and_whole_on_its_own(
    dashboard: Dashboard, names: dict[str, str]
) -> None:
    [listed] = dashboard.get("/events", text="gnp.exe")["items"]
    assert (listed["event_id"], listed["cut"]) == (names["hostile"], ["rationale"])
    assert listed["rationale"] == HOSTILE[:20_000]
    assert dashboard.get(f"/events/{names['hostile']}")["rationale"] == HOSTILE


def test_message_that_is_no_event_is_shown_with_its_reason(dashboard: Dashboard) -> None:
    [found] = dashboard.get("/events", kind="undecodable")["items"]
    assert found["undecodable_reason"]
    assert dashboard.get("/health")["undecodable"] == 1
    assert dashboard.get(f"/events/%23{found['stream_seq']}")["kind"] == "undecodable"


def test_trace_has_its_spans_and_events(dashboard: Dashboard, names: dict[str, str]) -> None:
    trace = dashboard.get(f"/traces/{TRACE.upper()}")
    [span] = trace["spans"]
    assert (span["name"], span["duration_ns"]) == ("edit", 1000)
    assert span["start_ns"] == "1795192458746249208"
    assert [point["name"] for point in span["events"]] == ["point"]
    assert [event["event_id"] for event in trace["events"]] == [names["decision"]]


def test_resources_of_a_moment_are_what_was_there_then(
    dashboard: Dashboard, names: dict[str, str]
) -> None:
    before = dashboard.get("/resources", at=names["start"])["items"]
    assert [one["name"] for one in before] == ["kept.txt", "src/app.py"]
    now = {one["name"]: one for one in dashboard.get("/resources", run_id=RUN)["items"]}
    assert now["src/app.py"]["digest"] == sha256(EDITED).hexdigest()
    assert (now["src/app.py"]["changed_by"], now["src/app.py"]["changes"]) == ("coder-1", 1)
    assert now["data/blob.bin"]["size_bytes"] == len(BINARY)


def test_history_of_a_resource_marks_what_something_else_changed(
    dashboard: Dashboard, names: dict[str, str]
) -> None:
    [change] = dashboard.get("/resources/history", name="kept.txt")["items"]
    assert (change["event_id"], change["is_break"]) == (names["after_break"], True)
    [change] = dashboard.get("/resources/history", name="src/app.py")["items"]
    assert (change["rationale"], change["is_break"]) == ("say it in capitals", False)


@pytest.mark.parametrize(
    ("command", "path", "parameters"),
    [
        (["show", "--at", "{edit}"], "/state", {"at": "{edit}"}),
        (["diff", "{start}", "{edit}"], "/diff", {"from_": "{start}", "to": "{edit}"}),
        (["why", "src/app.py:2"], "/why", {"resource": "src/app.py", "line": 2}),
    ],
)
def test_time_travel_answers_what_the_command_line_prints(
    shown: Shown, command: list[str], path: str, parameters: dict[str, Any]
) -> None:
    printed = shown.stack.json(*(word.format(**shown.names) for word in command))
    filled = {
        name: value.format(**shown.names) if isinstance(value, str) else value
        for name, value in parameters.items()
    }
    assert without_nulls(shown.dashboard.get(path, **filled)) == without_nulls(printed)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def test_content_comes_as_text_or_bytes_and_never_runs(dashboard: Dashboard) -> None:
    text = dashboard.ask(f"/api/v1/content/{sha256(EDITED).hexdigest()}")
    assert (text.status, text.body) == (200, EDITED)
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert text.headers["content-disposition"].startswith("attachment")
    binary = dashboard.ask(f"/api/v1/content/{sha256(BINARY).hexdigest()}?max_bytes=100")
    assert binary.body == BINARY[:100]
    assert binary.headers["content-type"] == "application/octet-stream"
    assert binary.headers["x-content-bytes"] == str(len(BINARY))
    known = dashboard.ask(
        f"/api/v1/content/{sha256(EDITED).hexdigest()}",
        headers={"If-None-Match": text.headers["etag"]},
    )
    assert (known.status, known.body) == (304, b"")


def test_replay_rows_are_the_events_of_the_run(dashboard: Dashboard, names: dict[str, str]) -> None:
    replay = dashboard.get(f"/runs/{RUN}/replay")
    columns = replay["columns"]
    assert {len(column) for column in columns.values()} == {replay["rows"]}
    events = dashboard.get("/events", run_id=RUN, order="asc", limit=1000)["items"]
    assert columns["seq"] == [event["stream_seq"] for event in events]
    assert [replay["kinds"][kind] for kind in columns["kind"]] == [e["kind"] for e in events]
    assert [replay["agents"][one]["id"] for one in columns["agent"]] == [
        event["agent_id"] for event in events
    ]
    row = [event["event_id"] for event in events].index(names["edit"])
    assert events[columns["cause"][row]]["event_id"] == names["decision"]
    resource = replay["resources"][columns["resource"][row]]
    assert resource == {"workspace_id": WORKSPACE, "type": "FILE_SYSTEM", "name": "src/app.py"}
    assert replay["hashes"][columns["hash"][row]] == sha256(EDITED).hexdigest()
    assert sum(columns["flag"]) == 1
    assert columns["time_ms"] == sorted(columns["time_ms"])


def test_replay_grows_by_what_is_after_a_place(dashboard: Dashboard) -> None:
    whole = dashboard.get(f"/runs/{RUN}/replay")
    middle = whole["columns"]["seq"][whole["rows"] // 2]
    rest = dashboard.get(f"/runs/{RUN}/replay", after=f"ENCHANTED_SWARM:{middle}")
    assert rest["columns"]["seq"] == [seq for seq in whole["columns"]["seq"] if seq > middle]
    end = whole["end"][0]["seq"]
    assert dashboard.get(f"/runs/{RUN}/replay", after=f"ENCHANTED_SWARM:{end}")["rows"] == 0


def test_replay_comes_compressed_to_who_takes_that_and_once(dashboard: Dashboard) -> None:
    path = f"/api/v1/runs/{MANY}/replay"
    packed = dashboard.ask(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == dashboard.ask(path).body
    again = dashboard.ask(path, headers={"If-None-Match": packed.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("buckets", [1, 7, 2000])
def test_density_counts_every_event_once(dashboard: Dashboard, buckets: int) -> None:
    density = dashboard.get(f"/runs/{RUN}/density", buckets=buckets)
    assert len(density["buckets"]) == buckets
    run = dashboard.get(f"/runs/{RUN}")
    for name in ("events", "decisions", "changes", "errors"):
        assert sum(bucket[name] for bucket in density["buckets"]) == run[name]


def test_ledgers_are_linked_and_health_has_all_parts(shown: Shown) -> None:
    ledger = shown.dashboard.get("/ledger")
    assert (ledger["is_linked"], ledger["broken"]) == (True, [])
    assert ledger["links"][0]["head"] == ledger["heads"][0]["head"]
    health = shown.dashboard.get("/health")
    assert (health["ready"], health["lag_events"]) == (True, 0)
    assert {one["name"] for one in health["processes"]} == {
        *("supervisor", "nats", "history", "ingestor", "dashboard")
    }
    assert all(one["rss_bytes"] > 0 for one in health["processes"])
    assert health["disk"]["total_bytes"] > 0


def test_query_is_answered_with_types_and_rows(dashboard: Dashboard) -> None:
    found = dashboard.sql("select 1 as x, ['a'] as y, 18446744073709551615 as z;").json()
    models.SqlResult.model_validate(found)
    assert found["rows"] == [[1, ["a"], 18446744073709551615]]
    assert [column["type"] for column in found["columns"]] == ["UInt8", "Array(String)", "UInt64"]
    many = dashboard.sql("select number from numbers(100)", max_rows=3).json()
    assert (many["rows"], many["truncated"]) == ([[0], [1], [2]], True)


def test_result_that_is_too_large_to_show_is_cut_between_rows(dashboard: Dashboard) -> None:
    query = "select number, repeat('x', 1000000) from numbers(100)"
    large = dashboard.sql(query, max_rows=10_000).json()
    assert large["truncated"]
    assert 10 < len(large["rows"]) < 20
    assert {len(row[1]) for row in large["rows"]} == {1_000_000}
