"""The endpoint speaks ClickHouse's HTTP, for its own client, curl and Grafana's plugin."""

import gzip
import http.client
import json
import socket
import subprocess
import sys
import threading
import zlib
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import urlencode

import clickhouse_connect
import lz4.frame  # type: ignore[import-untyped]
import pytest

from infrastructure.errors import (
    HistoryUnavailableError,
    InsertRejectedError,
    QueryFailedError,
    QueryRefusedError,
    StaleBatchError,
)
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.config import HistoryConfig
from infrastructure.history.migrate import load_migrations, migrate, schema_versions
from tests.support.eventually import eventually_blocking
from tests.support.owner import READER, WRITER, Owner, running_owner

SCHEMA = 'syntax="proto3"; message Row { uint64 number=1; string words=2; }'
STALE_NUMBER = 13
MB = 1 << 20


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    with running_owner(tmp_path_factory.mktemp("endpoint") / "home") as running:
        yield running


@pytest.fixture
def writer(owner: Owner) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=owner.writer_dsn)) as client:
        yield client


@pytest.fixture
def reader(owner: Owner) -> Iterator[HistoryClient]:
    with open_history(HistoryConfig(dsn=owner.reader_dsn)) as client:
        yield client


@pytest.fixture
def guarded(writer: HistoryClient) -> Iterator[str]:
    """A table fed as events are: a Null table, a view with a guard, a MergeTree behind it."""
    writer.command("create table swarm.input (number UInt64, words String) engine = Null")
    writer.command(
        "create table swarm.kept (number UInt64, words String) engine = MergeTree order by number"
    )
    writer.command(
        "create materialized view swarm.appends to swarm.kept as select * from swarm.input "
        f"where not throwIf(number = {STALE_NUMBER}, 'STALE')"
    )
    yield "swarm.input"
    for name in ("appends", "input", "kept"):
        writer.command(f"drop table swarm.{name} sync")


def _row(number: int, words: bytes = b"") -> bytes:
    text = b"\x12" + _varint(len(words)) + words if words else b""
    message = b"\x08" + _varint(number) + text
    return _varint(len(message)) + message


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def test_protobuf_block_of_tens_of_megabytes_arrives_as_one_part(
    writer: HistoryClient, reader: HistoryClient, guarded: str
) -> None:
    rows = [_row(100 + n, b"%01000d" % n) for n in range(30_000)]
    summary = writer.insert_protobuf(guarded, rows, schema=SCHEMA, message="Row")
    assert summary.written_rows == len(rows)
    found = reader.query("select count() as n, uniqExact(_part) as parts from swarm.kept")
    assert found == [{"n": len(rows), "parts": 1}]


def test_guard_that_fires_is_a_stale_batch_and_writes_nothing(
    writer: HistoryClient, reader: HistoryClient, guarded: str
) -> None:
    with pytest.raises(StaleBatchError) as caught:
        writer.insert_protobuf(
            guarded, [_row(1), _row(STALE_NUMBER)], schema=SCHEMA, message="Row", row_count=2
        )
    assert (caught.value.code, caught.value.row_count) == (395, 2)
    assert reader.query("select count() as n from swarm.kept") == [{"n": 0}]


def test_damaged_block_is_rejected_whole(
    writer: HistoryClient, reader: HistoryClient, guarded: str
) -> None:
    with pytest.raises(InsertRejectedError):
        writer.insert_protobuf(guarded, [_row(1), b"\x09\x08"], schema=SCHEMA, message="Row")
    assert reader.query("select count() as n from swarm.kept") == [{"n": 0}]


def test_rows_and_native_inserts_of_the_driver_work(
    writer: HistoryClient, reader: HistoryClient, guarded: str
) -> None:
    writer.insert_rows("swarm.kept", ["number", "words"], [[1, "a"], [2, "ü'\n"]])
    assert reader.query("select words from swarm.kept order by number") == [
        {"words": "a"},
        {"words": "ü'\n"},
    ]


def test_reader_cannot_write(reader: HistoryClient, guarded: str) -> None:
    with pytest.raises(QueryRefusedError):
        reader.command("create table swarm.more (a Int8) engine = Memory")
    with pytest.raises(InsertRejectedError):
        reader.insert_raw(guarded, b"1\tx\n", input_format="TSV")


def test_parameters_reach_the_query_unchanged(reader: HistoryClient) -> None:
    value = "it's\n\ttab \\ back {x:String} ünï"
    sql = "select {value:String} as value, {many:Array(String)} as many"
    assert reader.query(sql, {"value": value, "many": [value, ""]}) == [
        {"value": value, "many": [value, ""]}
    ]


def test_engine_error_carries_its_code(owner: Owner, reader: HistoryClient) -> None:
    with pytest.raises(QueryFailedError) as caught:
        reader.query("select * from swarm.no_such_table")
    assert caught.value.code == 60
    reply = owner.ask("select * from swarm.no_such_table")
    assert (reply.status, reply.code) == (404, 60)
    assert reply.text.startswith("Code: 60. DB::Exception: ")
    assert "(UNKNOWN_TABLE)" in reply.text


def test_streamed_result_is_complete(reader: HistoryClient) -> None:
    with reader.stream("select number from numbers(300000)", output_format="TSV") as lines:
        assert sum(1 for _ in lines) == 300_000


def test_failure_after_the_first_block_is_told_in_the_stream(owner: Owner) -> None:
    reply = owner.ask(
        "select repeat('x', 100), throwIf(number = 999999) from numbers(1000000) format TSV"
    )
    assert reply.status == 200
    tag = reply.headers["x-clickhouse-exception-tag"]
    assert reply.text.endswith(f"{tag}\r\n__exception__\r\n")
    assert "Code: 395. DB::Exception:" in reply.text[-2000:]


@pytest.mark.parametrize(
    ("encoding", "decode"),
    [
        ("gzip", gzip.decompress),
        ("deflate", zlib.decompress),
        ("lz4", lz4.frame.decompress),
    ],
)
def test_answer_and_body_are_compressed_when_asked(
    owner: Owner, encoding: str, decode: object
) -> None:
    reply = owner.ask("select 1 format JSON", headers={"Accept-Encoding": encoding})
    assert reply.headers["content-encoding"] == encoding
    assert callable(decode)
    assert json.loads(decode(reply.body))["rows"] == 1


def test_compressed_request_body_is_read(owner: Owner) -> None:
    body = gzip.compress(b"select 1")
    assert owner.ask(body, headers={"Content-Encoding": "gzip"}).body == b"1\n"
    assert owner.ask(b"nonsense", headers={"Content-Encoding": "gzip"}).status == 400


def test_curl_forms_work(owner: Owner) -> None:
    basic = "Basic " + b64encode(":".join(READER).encode()).decode()
    by_header = owner.ask(
        "", query="select 1", headers={"Authorization": basic}, method="GET", user=None
    )
    assert by_header.body == b"1\n"
    in_url = {"user": READER[0], "password": READER[1]}
    url = f"{owner.url}/?{urlencode({**in_url, 'query': 'select {n:UInt8}', 'param_n': '7'})}"
    connection = http.client.HTTPConnection("127.0.0.1", owner.port)
    connection.request("GET", url.removeprefix(owner.url))
    assert connection.getresponse().read() == b"7\n"
    connection.close()
    assert owner.ask("", path="/ping", user=None, method="GET").body == b"Ok.\n"
    assert owner.ask("", path="/replicas_status", user=None, method="GET").body == b"Ok.\n"
    assert owner.ask("", path="/nonsense", method="GET").status == 404
    as_printed = owner.ask("", path="/swarm", query="select currentDatabase()", method="GET")
    assert as_printed.body == b"swarm\n"


def test_headers_say_what_clickhouse_says(owner: Owner) -> None:
    reply = owner.ask("select 1", query_id="my-query", default_format="JSONEachRow")
    assert reply.headers["x-clickhouse-query-id"] == "my-query"
    assert reply.headers["x-clickhouse-format"] == "JSONEachRow"
    assert reply.headers["x-clickhouse-timezone"] == "UTC"
    assert json.loads(reply.headers["x-clickhouse-summary"])["result_bytes"] == "8"


def test_metrics_count_queries_and_failures(owner: Owner) -> None:
    owner.ask("select 1")
    owner.ask("select nonsense")
    text = owner.ask("", path="/metrics", user=None, method="GET").text
    assert 'swarm_history_queries_total{user="history_reader"}' in text
    assert 'swarm_history_failures_total{code="47",user="history_reader"}' in text


def test_grafana_plugin_handshake_is_answered_in_its_protocol(owner: Owner) -> None:
    """The driver below the plugin asks for Native blocks with header and serialization mark."""
    reply = owner.ask(
        "SELECT displayName(), version(), revision(), timezone()",
        default_format="Native",
        client_protocol_version="54460",
        database="default",
        headers={"Accept-Encoding": "gzip"},
    )
    body = gzip.decompress(reply.body)
    assert body.startswith(
        b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0ddisplayName()\x06String\x00"
    )
    assert body.endswith(b"\x0atimezone()\x06String\x00\x03UTC")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT version()",
        "SHOW DATABASES",
        "SELECT name FROM system.databases ORDER BY name",
        "SELECT name FROM system.tables WHERE database = 'swarm'",
        'DESC TABLE "swarm"."events"',
        "SELECT name, type, table FROM system.columns WHERE database = 'swarm'",
        "SELECT count(), toStartOfInterval(toDateTime(event_time), INTERVAL 60 second) AS time "
        "FROM swarm.events WHERE event_time >= toDateTime(1700000000) GROUP BY time ORDER BY time",
        'SELECT "TraceId" AS traceID, "SpanName" AS operationName FROM "swarm"."spans" '
        "WHERE traceID = 'x' LIMIT 100",
    ],
)
def test_requests_of_grafanas_plugin_are_answered(owner: Owner, sql: str) -> None:
    """Replayed from the plugin's and its driver's sources; the plugin itself was not run."""
    reply = owner.ask(
        sql,
        database="default",
        default_format="Native",
        client_protocol_version="54460",
        max_execution_time="60",
        limit="1000",
        headers={"Accept-Encoding": "gzip", "User-Agent": "clickhouse-go/2 (lv:go) grafana/12"},
    )
    assert (reply.status, reply.headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(reply.body).startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00")


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 as a, 'x' as b",
        "select number, toString(number) as s, [number] as many from numbers(100000)",
        "select toLowCardinality('q') as a, map('k', 1) as b, toNullable(5) as c, (1, 'z') as d",
        "select now64(9, 'UTC') as a, generateUUIDv4() as b where 0",
        "show databases",
        "select database, name from system.tables",
        "select name, type from system.columns where database = 'swarm' and table = 'events'",
    ],
)
def test_newer_native_blocks_hold_the_same_columns(owner: Owner, sql: str) -> None:
    plain = owner.ask(sql, default_format="Native").body
    newer = owner.ask(sql, default_format="Native", client_protocol_version="54405").body
    header = b"\x01\x00\x02\xff\xff\xff\xff\x00"
    assert newer.startswith(header)
    if plain:
        assert newer.replace(header, b"") == plain


def test_driver_reads_every_shape_of_column(owner: Owner) -> None:
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=owner.port, username=READER[0], password=READER[1]
    )
    result = client.query("select number, [number], map('a', 1), toNullable(1) from numbers(3)")
    assert result.result_rows == [(n, [n], {"a": 1}, 1) for n in range(3)]
    assert client.query("select 1 as a limit 0").column_names == ("a",)
    client.close()


def test_history_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        pytest.raises(HistoryUnavailableError),
        open_history(HistoryConfig(dsn=f"http://a:b@127.0.0.1:{port}/swarm")),
    ):
        pass


def test_client_that_leaves_ends_its_query(owner: Owner) -> None:
    sql = "select sum(sipHash64(number)) from numbers(4000000000) settings max_execution_time = 50"
    left = http.client.HTTPConnection("127.0.0.1", owner.port)
    key = {"X-ClickHouse-User": READER[0], "X-ClickHouse-Key": READER[1]}
    left.request("POST", "/", sql, key)
    running = "select count() from system.processes where query like '%sipHash64%'"
    count = f"{running} and query not like '%like%'"
    eventually_blocking(lambda: owner.ask(count, user=WRITER).body == b"1\n")
    left.close()
    eventually_blocking(lambda: owner.ask(count, user=WRITER).body == b"0\n")


@pytest.mark.parametrize(
    "sql",
    [
        "select sum(sipHash64(number)) from numbers(4000000000)",
        "select number from numbers(3) order by number with fill to 1000000000000 format Null",
        "select count() from numbers(1000000) a, numbers(1000000) b, numbers(1000000) c",
        "select arrayMap(x -> repeat('y', 1000000), range(100000000))",
        "with recursive t as (select 1 as n union all select n + 1 from t) select count() from t",
        "select groupArray(repeat(toString(number), 100)) from numbers(1000000000)",
        "select number, repeat('x', 1000) from numbers(100000000) format JSON",
        "select " + "[" * 900 + "1" + "]" * 900,
        "select " + "(" * 100_000 + "1" + ")" * 100_000,
        "select '" + "x" * 300_000 + "'",
        "select editDistance(repeat('a', 60000), repeat('b', 60000))",
    ],
)
def test_runaway_query_ends_at_its_limit(owner: Owner, sql: str) -> None:
    assert owner.ask(sql, max_execution_time="1").status >= 400
    assert owner.ask("select 1").body == b"1\n"


def test_inserts_go_on_while_readers_run_away(
    owner: Owner, writer: HistoryClient, guarded: str
) -> None:
    sql = "select sum(sipHash64(number)) from numbers(4000000000)"
    threads = [
        threading.Thread(target=owner.ask, args=(sql,), kwargs={"max_execution_time": "4"})
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    running = "select count() from system.processes where query like '%sipHash64%'"
    eventually_blocking(lambda: int(owner.ask(running, user=WRITER).body) >= 4)
    for n in range(20):
        writer.insert_protobuf(guarded, [_row(100 + n)], schema=SCHEMA, message="Row")
    assert any(thread.is_alive() for thread in threads), "the inserts waited for the readers"
    for thread in threads:
        thread.join()


def _raw_exchange(owner: Owner, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", owner.port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def test_two_requests_in_one_piece_are_both_answered(owner: Owner) -> None:
    key = {"X-ClickHouse-User": READER[0], "X-ClickHouse-Key": READER[1]}
    connection = http.client.HTTPConnection("127.0.0.1", owner.port)
    for n in range(3):
        connection.request("POST", "/", f"select {n}", key)
        assert connection.getresponse().read() == b"%d\n" % n
    connection.request("POST", "/", iter([b"sel", b"ect", b" 9"]), key, encode_chunked=True)
    assert connection.getresponse().read() == b"9\n"
    connection.close()


def _head(user: tuple[str, str] | None, framing: str) -> bytes:
    lines = ["POST /?query=select+1 HTTP/1.1", framing]
    if user is not None:
        lines += [f"X-ClickHouse-User: {user[0]}", f"X-ClickHouse-Key: {user[1]}"]
    return "\r\n".join([*lines, "", ""]).encode()


def _first_answer(owner: Owner, sent: bytes) -> bytes:
    """Send, keep the connection open, and return the first line that comes back."""
    with socket.create_connection(("127.0.0.1", owner.port), timeout=10) as connection:
        connection.sendall(sent)
        return connection.recv(1000).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("user", "length"), [(None, MB), ((READER[0], "wrong"), MB), (READER, 17 * MB)]
)
def test_large_body_is_refused_before_it_is_sent_by_who_may_not(
    owner: Owner, user: tuple[str, str] | None, length: int
) -> None:
    """From the head alone: whoever does not log in cannot fill the owner's memory."""
    answer = _first_answer(owner, _head(user, f"Content-Length: {length}"))
    assert answer == b"HTTP/1.1 413 Payload Too Large"


def test_large_body_in_chunks_is_refused_as_soon_as_it_is_too_large(owner: Owner) -> None:
    """Its length is not told before."""
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    answer = _first_answer(owner, _head(None, "Transfer-Encoding: chunked") + 2 * chunk)
    assert answer == b"HTTP/1.1 413 Payload Too Large"


def test_small_body_of_a_stranger_is_answered_with_what_is_wrong(owner: Owner) -> None:
    assert owner.ask("select 1", user=None).status == 403


def test_compressed_body_may_not_grow_beyond_what_its_sender_may_send(owner: Owner) -> None:
    bomb = gzip.compress(bytes(17 * MB))
    assert owner.ask(bomb, headers={"Content-Encoding": "gzip"}).status == 400


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"GET /" + b"a" * (3 * MB) + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_malformed_request_is_refused_and_the_owner_goes_on(
    owner: Owner, request_bytes: bytes
) -> None:
    try:
        answer = _raw_exchange(owner, request_bytes)
    except OSError:  # refused while we were still sending
        answer = b""
    assert not answer or answer.split(b" ")[1] in {b"400", b"413"}
    assert owner.ask("select 1").body == b"1\n"


def test_owner_killed_in_an_insert_keeps_whole_blocks_only(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_owner(tmp_path_factory.mktemp("killed") / "home") as owner:
        with open_history(HistoryConfig(dsn=owner.writer_dsn)) as writer:
            writer.command(
                "create table swarm.kept (number UInt64, words String) engine = MergeTree "
                "order by number settings fsync_after_insert = 1, fsync_part_directory = 1"
            )
        acked = _insert_until_killed(owner)
        owner.start()
        rows = int(owner.ask("select count() from swarm.kept").body)
        assert rows % 500 == 0
        assert rows in {acked * 500, (acked + 1) * 500}
        assert owner.stop() == 0


def test_migrating_through_the_owner_finds_everything_applied(writer: HistoryClient) -> None:
    assert migrate(writer) == []
    assert schema_versions(writer) == [migration.number for migration in load_migrations()]


def test_second_owner_of_a_home_does_not_start(owner: Owner) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "infrastructure.history", "--home", str(owner.home), "--port", "0"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert b"another process has it open" in second.stderr
    assert b"Traceback" not in second.stderr
    assert owner.ask("select 1").body == b"1\n"


def _insert_until_killed(owner: Owner) -> int:
    body = b"".join(_row(n, b"words") for n in range(1, 501))
    acked = 0
    with open_history(HistoryConfig(dsn=owner.writer_dsn)) as writer:
        killer = threading.Timer(0.4, owner.kill)
        killer.start()
        try:
            while True:
                writer.insert_protobuf("swarm.kept", body, schema=SCHEMA, message="Row")
                acked += 1
        except HistoryUnavailableError:
            pass
        killer.join()
    return acked


def test_damaged_part_gives_a_typed_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Few rows: the engine tries every single bit of a damaged block before it gives up."""
    with running_owner(tmp_path_factory.mktemp("damaged") / "home") as owner:
        owner.ask(
            "create table swarm.kept (words String) engine = MergeTree order by words "
            "settings min_bytes_for_wide_part = 0",
            user=WRITER,
        )
        owner.ask(
            "insert into swarm.kept select hex(sipHash128(number)) from numbers(2000)", user=WRITER
        )
        [column] = (owner.home / "history").glob("**/all_1_1_0/words.bin")
        content = bytearray(column.read_bytes())
        content[len(content) // 2] ^= 0xFF
        column.write_bytes(content)
        with (
            open_history(HistoryConfig(dsn=owner.reader_dsn)) as reader,
            pytest.raises(QueryFailedError) as caught,
        ):
            reader.query("select sum(length(words)) as n, max(words) as m from swarm.kept")
        assert caught.value.code in {40, 33, 246}
        assert owner.ask("select 1").body == b"1\n"
