import pytest

from infrastructure.errors import HistorySchemaError
from infrastructure.history.config import Deployment, HistoryConfig
from infrastructure.history.migrate import Migration, load_migrations, pending
from nervous_system.errors import ConfigError


def test_password_never_shows() -> None:
    config = HistoryConfig(dsn="http://user:secret@host:8123/swarm")
    assert "secret" not in repr(config)
    assert config.public_dsn == "http://user:***@host:8123/swarm"


def test_embedded_path_is_read_from_the_dsn() -> None:
    assert HistoryConfig(dsn="chdb:///srv/my%20data").path == "/srv/my data"
    assert HistoryConfig(dsn="chdb://relative/data").path == "relative/data"
    assert HistoryConfig(dsn="chdb:///x").is_embedded


@pytest.mark.parametrize(
    "dsn",
    ["", "nonsense", "chdb://", "http://", "ftp://host", "http://host/other", "http://h:99999"],
)
def test_unusable_dsn_is_refused_without_showing_a_password(dsn: str) -> None:
    with pytest.raises(ConfigError):
        HistoryConfig(dsn=dsn)
    with pytest.raises(ConfigError) as caught:
        HistoryConfig(dsn="ftp://user:secret@host/")
    assert "secret" not in str(caught.value)


def test_dsn_comes_from_the_environment() -> None:
    assert HistoryConfig.from_env({"SWARM_CLICKHOUSE_DSN": "chdb:///x"}).path == "/x"
    with pytest.raises(ConfigError):
        HistoryConfig.from_env({})


def _migration(number: int, text: str = "select 1;") -> Migration:
    return Migration(number=number, name="x", text=text)


def test_only_what_is_missing_is_pending() -> None:
    known = [_migration(n) for n in range(4)]
    assert [m.number for m in pending(known, [0, 1, 3])] == [2]


def test_newer_schema_is_refused() -> None:
    with pytest.raises(HistorySchemaError):
        pending([_migration(0)], [0, 1])


def test_statements_are_split_at_line_ends_and_filled_in() -> None:
    head = "-- a; b\ncreate table t${on_cluster} (a String default ';')"
    text = f"{head}\nengine = ${{mergetree}};\n\n-- end\n"
    [embedded] = _migration(0, text).statements(Deployment.EMBEDDED)
    assert embedded.endswith("engine = MergeTree")
    [server] = _migration(0, text).statements(Deployment.SERVER)
    assert "on cluster '{cluster}'" in server
    assert server.endswith("engine = ReplicatedMergeTree")


def test_shipped_migrations_are_numbered_once_and_fill_in_everywhere() -> None:
    migrations = load_migrations()
    numbers = [migration.number for migration in migrations]
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))
    for migration in migrations:
        for deployment in Deployment:
            assert all("${" not in text for text in migration.statements(deployment))
