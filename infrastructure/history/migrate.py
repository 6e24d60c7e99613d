"""Numbered changes of the schema: applied once, in order, and refused when found newer.

What was applied is recorded in `swarm.migrations`.

A migration is a file `NNNN_name.sql` beside this module. Statements end with `;` at the end of a
line. Where embedded data and a server differ, the text holds a placeholder:

    ${mergetree}            engine of a table: MergeTree, or ReplicatedMergeTree on a server
    ${mergetree_settings}   durability settings for the table's SETTINGS clause
    ${on_cluster}           empty, or ` on cluster '{cluster}'` on a server

Every statement must be harmless when it runs again (`if not exists`): a crash can fall between a
migration and its record.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from string import Template

from infrastructure.errors import HistorySchemaError
from infrastructure.history.client import HistoryClient
from infrastructure.history.config import Deployment

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_STATEMENT_END = re.compile(r";[ \t]*$", re.MULTILINE)
_DURABLE = (
    # FACTS: without these an acknowledged part, or the part that merged it, can be lost with the
    # power.
    "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, "
    "old_parts_lifetime = 480, "
    # No sparse columns: over one, 26.9 has answered groupArray(hex(previous_digest)) with the
    # values shifted by a row, though the rows themselves were right.
    "ratio_of_defaults_for_sparse_serialization = 1"
)
PLACEHOLDERS: Mapping[Deployment, Mapping[str, str]] = {
    Deployment.EMBEDDED: {
        "mergetree": "MergeTree",
        "mergetree_settings": _DURABLE,
        "on_cluster": "",
    },
    Deployment.SERVER: {
        "mergetree": "ReplicatedMergeTree",
        "mergetree_settings": f"{_DURABLE}, replicated_deduplication_window = 10000, "
        "replicated_deduplication_window_seconds = 604800",
        "on_cluster": " on cluster '{cluster}'",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One numbered change."""

    number: int
    name: str
    text: str
    """As in the file, placeholders included."""

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the text."""
        return sha256(self.text.encode()).hexdigest()

    def statements(self, deployment: Deployment) -> list[str]:
        """Return the statements as this deployment runs them."""
        filled = Template(self.text).substitute(PLACEHOLDERS[deployment])
        return [one.strip() for one in _STATEMENT_END.split(filled) if _has_code(one)]


def load_migrations() -> list[Migration]:
    """Return the migrations that come with this version, in order."""
    folder = resources.files("infrastructure.history") / "migrations"
    found = []
    for file in folder.iterdir():
        if match := _FILE_NAME.fullmatch(file.name):
            found.append(
                Migration(
                    number=int(match.group(1)),
                    name=match.group(2),
                    text=file.read_text(encoding="utf-8"),
                )
            )
    return sorted(found, key=lambda migration: migration.number)


def pending(known: Sequence[Migration], applied: Sequence[int]) -> list[Migration]:
    """Return what is still to be applied.

    Raises:
        HistorySchemaError: the schema found is newer than this version.
    """
    newest_known = max((migration.number for migration in known), default=0)
    newest_applied = max(applied, default=0)
    if newest_applied > newest_known:
        raise HistorySchemaError(
            table="swarm", expected=f"version {newest_known}", found=f"version {newest_applied}"
        )
    return [migration for migration in known if migration.number not in set(applied)]


def migrate(client: HistoryClient, deployment: Deployment | None = None) -> list[int]:
    """Bring the schema up to this version and return the numbers of what was applied.

    Raises:
        HistorySchemaError: the schema found is newer than this version.
        QueryFailedError: a statement failed; what came before it stays, and the next call goes on
            from there.
        HistoryUnavailableError: history cannot be reached.
    """
    if deployment is None:
        deployment = deployment_of(client)
    known = load_migrations()
    for statement in known[0].statements(deployment):
        client.command(statement)
    to_apply = pending(known, schema_versions(client))
    for migration in to_apply:
        for statement in migration.statements(deployment):
            client.command(statement)
        _record(client, migration)
    return [migration.number for migration in to_apply]


def deployment_of(client: HistoryClient) -> Deployment:
    """Return what this history is; embedded data may also be reached through its owner."""
    found = client.query(
        "select engine from system.tables where database = 'swarm' and name = 'migrations'"
    )
    if client.is_embedded or any(row["engine"] == "MergeTree" for row in found):
        return Deployment.EMBEDDED
    return Deployment.SERVER


def schema_versions(client: HistoryClient) -> list[int]:
    """Return the numbers of the migrations that were applied to this history."""
    rows = client.query("select distinct number from swarm.migrations order by number")
    return [int(row["number"]) for row in rows]


def _record(client: HistoryClient, migration: Migration) -> None:
    client.insert_rows(
        "swarm.migrations",
        ["number", "name", "digest"],
        [[migration.number, migration.name, migration.digest]],
    )


def _has_code(statement: str) -> bool:
    return any(
        line.strip() and not line.strip().startswith("--") for line in statement.splitlines()
    )
