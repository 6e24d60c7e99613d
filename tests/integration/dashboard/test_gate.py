"""Who may ask the dashboard what, from where; and what every answer carries."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from tests.integration.dashboard.conftest import Shown
from tests.support.dashboard import Dashboard, Reply
from tests.support.recorded_swarm import RUN

HTML = {"Accept": "text/html,application/xhtml+xml"}
PROTECTED = ["/", "/runs", "/api/v1/session", "/api/v1/sql", "/api/openapi.json", "/metrics"]
SQL = json.dumps({"query": "select 1"}).encode()
JSON = {"Content-Type": "application/json"}


def logged_in(dashboard: Dashboard) -> str:
    """Return the cookie that a browser keeps after it has followed the link."""
    reply = dashboard.ask(f"/login?token={dashboard.token}", is_known=False)
    assert (reply.status, reply.headers["location"]) == (303, "/")
    return reply.headers["set-cookie"].partition(";")[0]


@pytest.mark.parametrize("path", PROTECTED)
def test_stranger_is_told_nothing(dashboard: Dashboard, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "swarm_session=1"}):
        reply = dashboard.ask(path, headers=headers, is_known=False)
        assert (reply.status, reply.code) == (401, "not_logged_in")
        assert reply.headers["www-authenticate"] == "Bearer"


def test_stranger_in_a_browser_is_shown_how_to_log_in(dashboard: Dashboard) -> None:
    reply = dashboard.ask("/runs/x", headers=HTML, is_known=False)
    assert reply.status == 401
    assert b"swarm up" in reply.body
    assert dashboard.ask("/assets/plain.css", is_known=False).status == 200


def test_link_logs_in_and_its_cookie_is_not_the_token(dashboard: Dashboard) -> None:
    reply = dashboard.ask(f"/login?token={dashboard.token}", is_known=False)
    kept = reply.headers["set-cookie"]
    assert dashboard.token not in kept
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in kept.split(";")}
    cookie = kept.partition(";")[0]
    for path in ("/", "/api/v1/session"):
        known = dashboard.ask(path, headers={"Cookie": f"a=b; {cookie}"}, is_known=False)
        assert known.status in {200, 503}


@pytest.mark.parametrize("token", ["", "wrong", "%00", "%C3%A9", "%FF", "x" * 400, "x" * 4_000])
def test_wrong_link_logs_nobody_in(dashboard: Dashboard, token: str) -> None:
    reply = dashboard.ask(f"/login?token={token}", headers=HTML, is_known=False)
    assert reply.status in {200, 400, 401}
    assert b"session" not in reply.body
    assert "set-cookie" not in reply.headers


def test_link_of_stack_and_status_logs_in(shown: Shown) -> None:
    url = shown.stack.json("status")["dashboard_url"]
    assert url.startswith(f"{shown.dashboard.origin}/login?token=")
    path = url.removeprefix(shown.dashboard.origin)
    assert shown.dashboard.ask(path, is_known=False).status == 303


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_open_and_say_nothing_else(dashboard: Dashboard, path: str) -> None:
    reply = dashboard.ask(path, is_known=False)
    assert reply.status == 200
    assert len(reply.body) < 10


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "", "localhost@evil", "["],
)
def test_other_name_for_this_server_is_refused(dashboard: Dashboard, host: str) -> None:
    """A page elsewhere may let its name point here; the cookie must be of no use to it."""
    reply = dashboard.ask("/api/v1/session", headers={"Host": host})
    assert (reply.status, reply.code) == (403, "wrong_host")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost", ""]
)
def test_page_of_another_origin_cannot_use_the_cookie(dashboard: Dashboard, origin: str) -> None:
    headers = {**JSON, "Cookie": logged_in(dashboard), "Origin": origin}
    reply = dashboard.ask("/api/v1/sql", method="POST", body=SQL, headers=headers, is_known=False)
    assert (reply.status, reply.code) == (403, "wrong_origin")


def test_own_page_may_ask_with_the_cookie_and_a_program_with_the_token(
    dashboard: Dashboard,
) -> None:
    cookie = {**JSON, "Cookie": logged_in(dashboard)}
    own = {**cookie, "Origin": dashboard.origin}
    assert asked_sql(dashboard, own, is_known=False) == 200
    assert asked_sql(dashboard, cookie, is_known=False) == 403
    assert asked_sql(dashboard, JSON, is_known=True) == 200


def asked_sql(dashboard: Dashboard, headers: dict[str, str], *, is_known: bool) -> int:
    """Return the status of a query."""
    return dashboard.ask(
        "/api/v1/sql", method="POST", body=SQL, headers=headers, is_known=is_known
    ).status


@pytest.mark.parametrize(
    "path",
    ["/", "/healthz", "/login", "/api/v1/session", "/api/v1/nope", "/api/v1/events?limit=0", "/no"],
)
def test_every_answer_tells_the_browser_what_it_may_do(shown: Shown, path: str) -> None:
    headers = shown.dashboard.ask(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    socket = shown.stack.record["dashboard_ws_url"]
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {socket}"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../main.py",
        "/assets/%2e%2e/main.py",
        "/..%2f..%2fmain.py",
        "/.made-from",
        "/assets/.made-from",
        "//etc/passwd",
        "/%00",
        "/assets/%5c..%5cmain.py",
    ],
)
def test_no_path_leads_out_of_the_pages(dashboard: Dashboard, path: str) -> None:
    reply = dashboard.ask(path)
    assert b"import" not in reply.body[:200]
    assert b"root:" not in reply.body
    assert reply.headers["content-type"].split(";")[0] in {"text/html", "application/json"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/runs/nope", (404, "not_found")),
        ("/runs/nope/replay", (404, "not_found")),
        ("/runs/nope/density", (404, "not_found")),
        (f"/runs/{RUN}/density?buckets=0", (400, "bad_request")),
        (f"/runs/{RUN}/density?from=never", (400, "bad_request")),
        (f"/runs/{RUN}/replay?after=x", (400, "bad_request")),
        (f"/runs/{RUN}/replay?after=S:99999999999999999999", (400, "bad_request")),
        ("/runs?cursor=e30", (400, "bad_request")),
        ("/events?cursor=WzEsMl0", (400, "bad_request")),
        ("/events?cursor=%F0%9F%92%A5", (400, "bad_request")),
        ("/events?before=9", (400, "bad_request")),
        ("/events?limit=1001", (400, "bad_request")),
        ("/events?limit=nan", (400, "bad_request")),
        ("/events?order=sideways", (400, "bad_request")),
        ("/events?from=tomorrow", (400, "bad_request")),
        ("/events/nothing", (400, "bad_moment")),
        ("/events/0", (400, "bad_moment")),
        ("/events/%2399999999", (404, "not_found")),
        ("/events/ffffffff-ffff-7fff-bfff-ffffffffffff", (404, "not_found")),
        ("/traces/xyz", (400, "bad_request")),
        (f"/traces/{'0' * 32}", (404, "not_found")),
        ("/resources", (400, "bad_request")),
        ("/resources?run_id=nope", (404, "not_found")),
        ("/resources/history?name=nope", (404, "not_found")),
        ("/resources/history", (400, "bad_request")),
        (f"/content/{'0' * 64}", (404, "not_found")),
        ("/content/..%2f..%2fetc%2fpasswd", (404, "not_found")),
        ("/content/abc", (400, "bad_request")),
        ("/state?at=10m", (400, "bad_moment")),
        ("/state?at=nonsense", (400, "bad_moment")),
        ("/state", (400, "bad_request")),
        ("/diff?from=%231", (400, "bad_request")),
        ("/why?resource=nope", (404, "not_found")),
        ("/why?resource=src/app.py&line=0", (400, "bad_request")),
        ("/why?resource=src/app.py&line=4000&workspace_id=recorded", (404, "not_found")),
        ("/sql", (404, "not_found")),
        ("/nope", (404, "not_found")),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_shape(
    dashboard: Dashboard, path: str, expected: tuple[int, str]
) -> None:
    reply = dashboard.ask(f"/api/v1{path}")
    assert (reply.status, reply.code) == expected, reply.body
    assert set(reply.json()) == {"error"}
    assert set(reply.json()["error"]) == {"code", "message", "fix"}
    assert reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    ["/events?text=", "/runs/", "/events?run_id=", "/why?resource=", "/resources/history?name="],
)
def test_huge_and_odd_parameters_do_no_harm(dashboard: Dashboard, path: str) -> None:
    for value in (
        "a" * 20_000,
        "%27%20or%201=1--",
        "%F0%9F%92%A5%00%E2%80%AE",
        "{x:String}",
        "%FF",
    ):
        assert dashboard.ask(f"/api/v1{path}{value}").status in {200, 400, 404}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("select * from file('/etc/passwd')", 403),
        ("select * from url('http://127.0.0.1:1')", 403),
        ("select * from system.users", 403),
        ("select 1 into outfile '/tmp/x'", 403),
        ("select 1 settings readonly = 0", 422),
        ("insert into swarm.blobs select 'a', 0, 1, 'b'", 403),
        ("drop table swarm.events", 403),
        ("system shutdown", 422),
        ("select 1; select 2", 422),
        ("selec", 422),
        ("select nope", 422),
        ("select throwIf(1)", 422),
        ("select sleepEachRow(3) from numbers(100)", 403),
        ("   ;", 400),
        ("", 400),
        ("x" * 300_000, 400),
    ],
)
def test_query_that_readers_may_not_ask_is_refused(
    dashboard: Dashboard, query: str, status: int
) -> None:
    reply = dashboard.sql(query)
    assert reply.status == status, reply.body
    code = reply.code
    assert code == {400: "bad_request", 403: "query_refused"}.get(status, code)
    assert status != 422 or code.startswith("clickhouse_")


def test_query_that_takes_too_much_is_ended(dashboard: Dashboard) -> None:
    reply = dashboard.sql("select groupArray(number) from numbers(1000000000)")
    assert (reply.status, reply.code) == (422, "clickhouse_241")
    assert dashboard.sql("select 1").json()["rows"] == [[1]]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{", 400),
        ({"Content-Type": "application/json"}, b'{"query": 7}', 400),
        ({"Content-Type": "application/json"}, b'{"query": "select 1", "more": 1}', 400),
        ({"Content-Type": "application/json"}, b'{"query": "select 1", "max_rows": 10001}', 400),
        ({"Content-Type": "application/json"}, b"[" * 100_000, 400),
        ({"Content-Type": "text/plain"}, SQL, 400),
        ({"Content-Type": "application/json"}, b"x" * (1024 * 1024 + 1), 413),
    ],
)
def test_body_that_is_no_question_is_refused(
    dashboard: Dashboard, headers: dict[str, str], body: bytes, status: int
) -> None:
    reply = dashboard.ask("/api/v1/sql", method="POST", headers=headers, body=body)
    assert reply.status == status, reply.body
    assert reply.code


def test_body_of_unknown_length_is_refused(dashboard: Dashboard) -> None:
    parts = urlsplit(dashboard.origin)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    headers = {"Authorization": f"Bearer {dashboard.token}", "Transfer-Encoding": "chunked"}
    connection.request("POST", "/api/v1/sql", iter([b"{}"]), headers, encode_chunked=True)
    assert connection.getresponse().status == 411
    connection.close()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_change_nothing(dashboard: Dashboard, method: str) -> None:
    reply = dashboard.ask("/api/v1/runs", method=method, headers={"Content-Length": "0"})
    assert reply.status in {403, 405}


def test_metrics_count_by_endpoint_and_not_by_what_was_asked_for(dashboard: Dashboard) -> None:
    dashboard.get(f"/runs/{RUN}")
    text = dashboard.ask("/metrics").body.decode()
    assert 'swarm_dashboard_requests_total{endpoint="one_run",status="200"}' in text
    assert RUN not in text


@pytest.mark.parametrize(("origin", "status"), [("own", 101), ("http://evil.example", 403)])
def test_only_our_pages_may_use_the_websocket_of_the_bus(
    shown: Shown, origin: str, status: int
) -> None:
    given = shown.dashboard.origin if origin == "own" else origin
    assert handshake(shown, given) == status


def handshake(shown: Shown, origin: str) -> int:
    """Return the status that the bus answers to a browser that wants its websocket."""
    parts = urlsplit(shown.stack.record["dashboard_ws_url"])
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
        "Origin": origin,
    }
    connection.request("GET", "/", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_nothing_that_was_asked_has_failed_inside(shown: Shown) -> None:
    """Refusals are no errors of ours: the log has none."""
    reply: Reply = shown.dashboard.ask("/api/v1/runs/nope")
    assert reply.status == 404
    assert "request_failed" not in shown.stack.log("dashboard")
    assert "Traceback" not in shown.stack.log("dashboard")
