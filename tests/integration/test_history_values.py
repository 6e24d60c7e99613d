"""What the engine answers over columns that are mostly empty."""

from clickhouse_connect.driver.client import Client

from infrastructure.history.config import Deployment
from infrastructure.history.migrate import PLACEHOLDERS


def test_values_keep_their_rows_in_a_column_that_is_mostly_empty(
    chdb_engine: Client, chdb_database: str
) -> None:
    """The engine's sparse columns have shifted them; our tables have none."""
    settings = PLACEHOLDERS[Deployment.EMBEDDED]["mergetree_settings"]
    table = f"{chdb_database}.digests"
    chdb_engine.command(
        f"create table {table} (n UInt64, digest String) engine = MergeTree order by n "
        f"settings {settings}"
    )
    chdb_engine.command(
        f"insert into {table} select number, if(number between 1 and 3, toString(number), '') "
        "from numbers(500)"
    )
    found = chdb_engine.query(
        f"select groupArray(hex(digest)) from (select * from {table} order by n)"
    ).result_rows[0][0]
    assert list(found[:5]) == ["", "31", "32", "33", ""]
