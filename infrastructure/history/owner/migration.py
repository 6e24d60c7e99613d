"""The schema of embedded data, brought up to date by the process that owns it."""

import json

from infrastructure.history.config import Deployment
from infrastructure.history.migrate import Migration, load_migrations, pending
from infrastructure.history.owner.engine import Engine, Statement


def apply_migrations(engine: Engine) -> list[int]:
    """Apply what is missing and return the numbers; as `migrate`, without a client in between.

    Raises:
        HistorySchemaError: the schema found is newer than this version.
        EngineError: a statement failed.
    """
    known = load_migrations()
    _apply(engine, known[0])
    found = engine.run(
        Statement(
            sql="select distinct number from swarm.migrations order by number",
            output_format="JSONCompactEachRow",
            database="default",
        )
    )
    to_apply = pending(known, [int(json.loads(line)[0]) for line in found.body.splitlines()])
    for migration in to_apply:
        _apply(engine, migration)
        row = {"number": migration.number, "name": migration.name, "digest": migration.digest}
        engine.insert(
            Statement(sql="insert into swarm.migrations (number, name, digest)"),
            "JSONEachRow",
            memoryview(json.dumps(row).encode()),
        )
    return [migration.number for migration in to_apply]


def _apply(engine: Engine, migration: Migration) -> None:
    for statement in migration.statements(Deployment.EMBEDDED):
        engine.run(Statement(sql=statement, database="default"))
