"""Readers reach no file, no network, no process and no setting, and cannot bring the owner down."""

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.owner import READER, WRITER, Owner, running_owner

CANARY = "canary-8d1f-must-not-be-read"
# Where an expression can stand. {x} is replaced by something that must not run.
POSITIONS = [
    "select {x}",
    "select 1 as a, ({x}) as b",
    "with {x} as a select a",
    "with (select {x}) as a select a",
    "with a as (select {x}) select * from a",
    "with recursive a as (select 1 as n union all select n + 1 from a where {x} = '') select 1",
    "select * from (select {x})",
    "select * from swarm.events where {x} = ''",
    "select * from swarm.events prewhere {x} = ''",
    "select count() from swarm.events having {x} = ''",
    "select count() from swarm.events group by {x}",
    "select count() from swarm.events group by grouping sets ((kind), ({x}))",
    "select kind from swarm.events order by {x}",
    "select stream_seq from swarm.events order by stream_seq with fill from length({x})",
    "select stream_seq as a, 1 as b from swarm.events order by a with fill interpolate (b as {x})",
    "select kind from swarm.events limit length({x})",
    "select kind from swarm.events limit 1 offset length({x})",
    "select kind from swarm.events limit 1 by {x}",
    "select distinct on ({x}) kind from swarm.events",
    "select sum(1) over (partition by {x}) from swarm.events",
    "select sum(1) over (order by {x}) from swarm.events",
    "select sum(1) over (order by 1 rows between length({x}) preceding and current row)",
    "select sum(1) over w from swarm.events window w as (partition by {x})",
    "select kind from swarm.events qualify {x} = ''",
    "select a.kind from swarm.events a join swarm.events b on {x} = ''",
    "select kind from swarm.events array join [{x}] as z",
    "select * replace ({x} as kind) from swarm.events",
    "select * apply (c -> {x}) from swarm.events",
    "select columns('kind') apply (c -> {x}) from swarm.events",
    "select arrayMap(c -> {x}, [1])",
    "select case when {x} = '' then 1 end",
    "select [{x}][1], ({x}, 1).1, map('a', {x})",
    "select cast({x} as String), ({x})::String",
    "select quantile(length({x}))(1)",
    "select 1 in ({x})",
    "select 1 in (select {x})",
    "select exists (select {x})",
    "select 1 = any (select {x})",
    "select 1 union all select {x}",
    "select 1 except select {x}",
    "select {x} intersect select 1",
    "select toIntervalDay({x}), date_add(day, length({x}), now())",
    "select if(0, {x}, 1), multiIf(0, {x}, 1), {x} ? 1 : 2",
    "select count() filter (where {x} = '')",
    "select extract(day from toDate({x}))",
    "select substring({x} from 1 for 2), trim(both {x} from 'a'), position({x} in 'a')",
    "select * from values('a String', ({x}))",
    "select * from numbers(length({x}))",
    "explain select {x}",
    "explain pipeline select {x}",
    "explain syntax select {x}",
    "explain ast select {x}",
    "explain query tree select {x}",
    "explain estimate select {x}",
    "from swarm.events select {x}",
    "select * from (select 1) as t (a) where {x} = ''",
    "(select {x})",
    "((select {x}) union all (select ''))",
    "describe (select {x})",
]
CALLS = [
    "file('{canary}')",
    "`file`('{canary}')",
    "\"file\"('{canary}')",
    "/* */ file /* */ ( '{canary}' )",
    "ﬁle('{canary}')",
    "FILE('{canary}')",
    "file($${canary}$$)",
    "dictGet('a.b', 'c', 1)",
    "joinGet('system.x', 'a', 1)",
    "hasColumnInTable('127.0.0.1:{port}', 'system', 'one', 'dummy')",
    "getServerSetting('max_connections')",
    "getSetting('readonly')",
    "getMacro('x')",
    "sleep(3)",
    "sleepEachRow(1)",
    "filesystemAvailable()",
    "hostName()",
    "AIGenerate('x')",
    "aiEmbed('x')",
    "catboostEvaluate('{canary}', 1)",
    "addressToLine(1)",
    "showCertificate()",
    "formatRow('Template', 1)",
    "zookeeperSessionUptime()",
    "python('x')",
    "executable('id')",
    "someFunctionOfTomorrow(1)",
    "__getScalar('x')",
    "fileIf('{canary}')",
]
TABLES = [
    "file('{canary}')",
    "file('{canary}', 'LineAsString')",
    "file('{canary}', LineAsString, 'a String')",
    "`file`('{canary}')",
    "filesystem('/')",
    "'{canary}'",
    "`{canary}`",
    "url('http://127.0.0.1:{port}/', LineAsString, 'a String')",
    "urlCluster('a', 'http://127.0.0.1:{port}/', LineAsString)",
    "s3('http://127.0.0.1:{port}/a', 'LineAsString')",
    "gcs('http://127.0.0.1:{port}/a')",
    "hdfs('hdfs://127.0.0.1:{port}/a', 'CSV')",
    "azureBlobStorage('http://127.0.0.1:{port}', 'a', 'b')",
    "iceberg('http://127.0.0.1:{port}/')",
    "icebergLocal('/tmp')",
    "deltaLake('http://127.0.0.1:{port}/')",
    "deltaLakeLocal('/tmp')",
    "hudi('http://127.0.0.1:{port}/')",
    "paimonLocal('/tmp')",
    "remote('127.0.0.1:{port}', system.one)",
    "remoteSecure('127.0.0.1:{port}', system.one)",
    "cluster('default', system.one)",
    "clusterAllReplicas('default', system.one)",
    "mysql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')",
    "postgresql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')",
    "mongodb('127.0.0.1:{port}', 'a', 'b', 'c', 'd', 'a Int8')",
    "redis('127.0.0.1:{port}', 'k', 'k String')",
    "sqlite('{canary}', 'a')",
    "odbc('DSN=x', 'a', 'b')",
    "jdbc('x', 'a', 'b')",
    "arrowstream('127.0.0.1:{port}')",
    "bigquery('a', 'b', 'c')",
    "ytsaurus('http://127.0.0.1:{port}', '//a', 'b')",
    "executable('id', 'TSV', 'a String')",
    "python('x')",
    "python(x)",
    "Python(x)",
    "eval('select 1')",
    "input('a String')",
    "format(LineAsString, '1')",
    "fuzzJSON('a')",
    "fuzzQuery('select 1')",
    "generateRandom('a String')",
    "loop(swarm.events)",
    "loop(numbers(1))",
    "merge('system', '.*')",
    "merge('.*', 'users')",
    "merge(REGEXP('sys.*'), 'users')",
    "mergeTreeIndex('swarm', 'events')",
    "mergeTreeProjection('swarm', 'events', 'a')",
    "mergeTreeAnalyzeIndexes('swarm', 'events')",
    "dictionary('a.b')",
    "view(select * from file('{canary}'))",
    "viewExplain('EXPLAIN', '', (select 1))",
    "viewIfPermitted(select 1 else null('a Int8'))",
    "timeSeriesData('swarm', 'events')",
    "prometheusQuery('a', 'b', now())",
    "null('a Int8')",
    "system.users",
    "system.processes",
    "system.query_log",
    "system.server_settings",
    "system.named_collections",
    "system.disks",
    "system.zookeeper",
    "system.stack_trace",
    "system.detached_parts",
    "system.remote_data_paths",
    "system.certificates",
    "system.dns_cache",
    "system.user_processes",
    "system.`users`",
    '"system"."users"',
    "`system`.users",
    "“system”.“users”",
    "/*x*/ system /*y*/ . /*z*/ users",
    "_temporary_and_external_tables.x",
    "other.events",
    "a.b.c",
]
STATEMENTS = [
    "select 1; select 2",
    "select 1; insert into function file('{out}', 'CSV', 'a Int8') values (1)",
    "select 1;;select 2",
    "select 1 into outfile '{out}'",
    "select 1 into outfile '{out}' format CSV",
    "select 1 into outfile '{out}' append",
    "select 1 into outfile '{out}' truncate and stdout",
    "select 1 into outfile '{out}' compression 'gzip' level 3",
    "select 1 INTO/**/OUTFILE '{out}'",
    "explain select 1 into outfile '{out}'",
    "show tables into outfile '{out}'",
    "describe table swarm.events into outfile '{out}'",
    "insert into swarm.events (stream) values ('x')",
    "insert into swarm.events_input select * from swarm.events_input",
    "insert into swarm.events from infile '{canary}' format CSV",
    "insert into function file('{out}', 'CSV', 'a Int8') values (1)",
    "insert into function file('{out}', 'CSV', 'a Int8') select 1",
    "insert into function url('http://127.0.0.1:{port}/', 'CSV', 'a Int8') select 1",
    "insert into function null('a Int8') select length(file('{canary}'))",
    "create table swarm.x (a Int8) engine = File(CSV)",
    "create table swarm.x engine = URL('http://127.0.0.1:{port}/', CSV) as select 1 as a",
    "create temporary table x as select 1",
    "create temporary table x as select file('{canary}')",
    "create or replace table swarm.x (a Int8) engine = Memory",
    "create view swarm.x as select * from file('{canary}')",
    "create materialized view swarm.x engine = File(CSV) as select 1",
    "create dictionary swarm.x (a Int8) primary key a source(file(path '{canary}' format 'CSV'))"
    " layout(flat()) lifetime(0)",
    "create function x as (a) -> file(a)",
    "create database x engine = Filesystem('/')",
    "create database x engine = MySQL('127.0.0.1:{port}', 'a', 'b', 'c')",
    "create named collection x as a = 1",
    "create user x",
    "create settings profile x",
    "create quota x",
    "grant all on *.* to default",
    "alter table swarm.events delete where 1",
    "alter table swarm.events update raw = '' where 1",
    "alter table swarm.events drop partition all",
    "alter table swarm.events attach partition all from system.one",
    "alter user default identified by 'x'",
    "drop table swarm.events",
    "drop database swarm",
    "truncate table swarm.events",
    "undrop table swarm.events",
    "detach table swarm.events",
    "attach table swarm.y from '/tmp' (a Int8) engine = File(CSV)",
    "rename table swarm.events to swarm.e",
    "exchange tables swarm.events and swarm.spans",
    "optimize table swarm.events final",
    "check table swarm.events",
    "kill query where 1",
    "kill mutation where 1",
    "system shutdown",
    "system kill",
    "system flush logs",
    "system reload config",
    "system drop mark cache",
    "system stop merges",
    "backup table swarm.events to File('{out}')",
    "backup database swarm to Disk('default', 'x')",
    "restore table swarm.events from File('{canary}')",
    "set readonly = 0",
    "set max_execution_time = 0",
    "set allow_introspection_functions = 1",
    "set role all",
    "use system",
    "watch swarm.events",
    "begin transaction",
    "commit",
    "move table x",
    "execute as default select 1",
    "delete from swarm.events where 1",
    "update swarm.events set raw = '' where 1",
    "describe table file('{canary}')",
    "describe file('{canary}')",
    "desc url('http://127.0.0.1:{port}/')",
    "describe table s3('http://127.0.0.1:{port}/a.csv')",
    "describe table (select * from file('{canary}'))",
    "describe table system.users",
    "describe table view(select * from file('{canary}'))",
    "show create table system.users",
    "show create user default",
    "show access",
    "show grants",
    "show users",
    "show processlist",
    "show create table information_schema.nothing_of_the_kind",
    "show tables from system where file('{canary}') = ''",
    "show columns from events from swarm where file('{canary}') = ''",
    "show functions where file('{canary}') = ''",
    "show engines; select 1",
    "exists table system.users",
    "explain table override system.one",
    "explain current transaction",
    "explain insert into function file('{out}') select 1",
    "explain create table x (a Int8) engine = Memory",
    "explain describe file('{canary}')",
    "explain ast insert into swarm.events select * from system.users",
    "explain explain select file('{canary}')",
    "select 1 settings readonly = 0",
    "select 1 settings readonly=0, max_execution_time=0, allow_ddl=1",
    "select 1 settings format_schema = '{canary}'",
    "select 1 settings allow_introspection_functions = 1",
    "select * from (select 1 settings max_untracked_memory = 1)",
    "select 1 settings profile = 'default'",
    "select 1 settings additional_result_filter = 'length(file(''{canary}''))'",
    "select 1 settings additional_table_filters = {{'system.one': 'file(''{canary}'') = '''''}}",
    "select 1 settings dialect = 'kusto'",
    "select 1 settings output_format_schema = '{out}'",
    "select 1 settings log_queries = 1, workload = 'x'",
    "select 1 settings query_plan_optimize = default",
    "select 1 format Template",
    "select 1 format Protobuf settings format_schema = '{canary}:X'",
    "select 1 format CapnProto",
    "select 1 format Prometheus",
    "select 1 format NoSuchFormat",
    "select 1 format SQLInsert",
    "select * apply(file) from swarm.events",
    "select columns('kind') apply(file) from swarm.events",
    "select arrayMap(file, ['{canary}'])",
    "select arrayMap(`file`, ['{canary}'])",
    "with file as f select arrayMap(f, ['{canary}'])",
    "select arrayFilter(file, ['{canary}'])",
    "select arrayFold(file, ['{canary}'], '')",
    "select mapApply(file, map('{canary}', 1))",
    "select file as f, arrayMap(f, ['{canary}'])",
    "with (x -> file(x)) as f select f('{canary}')",
    "with (x -> x) as f select arrayMap(f, [file('{canary}')])",
    "select arrayReduce('file', ['{canary}'])",
    "select arrayReduce('fileIf', ['{canary}'], [1])",
    "select initializeAggregation('file', '{canary}')",
    "select 1 in system.users",
    "select 1 in (system.users)",
    "select 1 global in system.users",
    "select 1 not in system.users",
    "with system.users as t select 1 in t",
    "select 'x' in `system`.`users`",
    "select 1 in file('{canary}')",
    "select 1 in url('http://127.0.0.1:{port}/', CSV, 'a String')",
    "select 1 in remote('127.0.0.1:{port}', system.one)",
    "select * from {{t:Identifier}}",
    "select * from swarm.{{t:Identifier}}",
    "select {{t:Identifier}}",
    "select 1 in {{t:Identifier}}",
    "select * from swarm.events, system.users",
    "select * from swarm.events left join system.users u on 1 = 1",
    "select (select max(name) from system.users)",
    "with users as (select 1) select * from system.users",
    "table system.users",
    "select * from swarm.events where raw in (select name from system.users)",
    "select * from executable('id', TSV, 'a String', (select 1))",
    "from system.users",
    "select 1 as `a\nTableExpression (children 1)` from file('{canary}')",
    "-- harmless\nselect file('{canary}')",
    "# harmless\nselect file('{canary}')",
    "/* select 1 */ system shutdown",
    "select 1 /* ; */ ; system shutdown",
    "\ufeffsystem shutdown",
    "SyStEm ShUtDoWn",
    "sys\x00tem shutdown",
    "select '\\'; system shutdown; --'; system shutdown",
    "select $$;$$; system shutdown",
    "parallel with select 1",
    "select 1 parallel with select 2",
    "create table swarm.a (x Int8) engine = Memory parallel with drop table swarm.events",
    "copy swarm.events to '{out}'",
    "",
    ";",
    "\\",
    "'",
]


class _Trap:
    """A port that must never be connected to."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])

    def was_touched(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    with running_owner(tmp_path_factory.mktemp("hostile") / "home") as running:
        yield running


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A file to be read, a file to be written and a port to be called, none of which may happen."""
    canary = tmp_path / "canary.txt"
    canary.write_text(CANARY)
    trap = _Trap()
    out = tmp_path / "out.csv"
    yield {"canary": str(canary), "out": str(out), "port": trap.port}
    touched = trap.was_touched()
    trap.close()
    assert not touched, "the network was reached"
    assert not out.exists(), "a file was written"
    assert sorted(tmp_path.iterdir()) == [canary], "a file was made"


def _assert_refused(owner: Owner, sql: str, parameters: Mapping[str, str] | None = None) -> None:
    reply = owner.ask(sql, parameters=parameters)
    assert CANARY not in reply.text, f"the file was read: {sql}"
    assert reply.status >= 400 or not sql.strip(), f"was answered: {sql}\n{reply.text[:300]}"


@pytest.mark.parametrize("call", CALLS)
def test_forbidden_function_is_refused_wherever_it_stands(
    owner: Owner, bait: dict[str, Any], call: str
) -> None:
    for position in POSITIONS:
        _assert_refused(owner, position.replace("{x}", call.format(**bait)))


@pytest.mark.parametrize("table", TABLES)
def test_forbidden_table_is_refused_wherever_it_stands(
    owner: Owner, bait: dict[str, Any], table: str
) -> None:
    source = table.format(**bait)
    for sql in (
        f"select * from {source}",
        f"select count() from (select * from {source})",
        f"with a as (select * from {source}) select 1 from a",
        f"select 1 where 1 in (select * from {source})",
        f"select 1 union all select * from {source}",
        f"select * from swarm.events e join {source} as s on 1 = 1",
        f"describe table {source}",
        f"explain select * from {source}",
        f"explain estimate select * from {source}",
    ):
        _assert_refused(owner, sql)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_hostile_statement_is_refused(owner: Owner, bait: dict[str, Any], statement: str) -> None:
    sql = statement.format(**bait)
    for parameters in ({}, {"database": "system"}, {"param_t": "system.users"}):
        _assert_refused(owner, sql, parameters)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("readonly", "0"),
        ("max_execution_time", "0"),
        ("max_memory_usage", "0"),
        ("max_execution_time", "1e300"),
        ("max_result_bytes", "-1"),
    ],
)
def test_limit_in_the_url_cannot_be_lifted(owner: Owner, name: str, value: str) -> None:
    asked = "max_execution_time" if name == "readonly" else name
    sql = f"select value from system.settings where name in ('readonly', '{asked}') order by name"
    with_limit = owner.ask(sql)
    assert owner.ask(sql, parameters={name: value}).body == with_limit.body


@pytest.mark.parametrize(
    "name",
    [
        "allow_ddl",
        "allow_introspection_functions",
        "additional_result_filter",
        "dialect",
        "format_schema",
        "output_format_schema",
        "format_template_row",
        "profile",
        "user_files_path",
        "insert_shard_id",
        "query_cache_tag",
        "no_such_setting",
        "a' = 1, readonly = 0, b",
    ],
)
def test_other_setting_in_the_url_is_refused(owner: Owner, name: str) -> None:
    assert owner.ask("select 1", parameters={name: "1"}).status == 403


def test_unqualified_name_does_not_reach_system_tables_through_the_default_database(
    owner: Owner,
) -> None:
    for sql in ("select * from users", "select 1 in users", "describe users"):
        assert owner.ask(sql, database="system").status >= 400
    assert owner.ask("select count() from tables", database="system").status == 200


def test_text_that_passed_in_one_database_is_looked_at_again_in_another(owner: Owner) -> None:
    sql = "select count() from disks"
    for _ in range(2):
        assert "Unknown table" in owner.ask(sql, database="swarm").text
        assert owner.ask(sql, database="system").status == 403


def test_columns_may_be_replaced_in_what_is_read(owner: Owner) -> None:
    reply = owner.ask("select * replace (number + 1 as number) from numbers(2)")
    assert (reply.status, reply.body) == (200, b"1\n2\n")


def test_what_was_refused_changed_nothing(owner: Owner) -> None:
    for statement in STATEMENTS:
        if "{" not in statement:
            owner.ask(statement)
    assert owner.ask("exists table swarm.events").body == b"1\n"
    assert owner.ask("show databases").body == owner.ask("show databases", user=WRITER).body
    tables = owner.ask("select count() from system.tables where name in ('x', 'y', 'a', 'e')")
    assert tables.body == b"0\n"


def test_reader_without_the_password_is_refused(owner: Owner) -> None:
    assert owner.ask("select 1", user=None).code == 516
    assert owner.ask("select 1", user=(READER[0], "guess")).code == 516
    assert owner.ask("select 1", user=("history_writer", READER[1])).code == 516
