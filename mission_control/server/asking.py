"""Parameters that several endpoints take."""

from typing import Annotated

from fastapi import Query

DEFAULT_LIMIT = 200
MAX_LIMIT = 1_000

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="At most so many.")]
Cursor = Annotated[
    str, Query(max_length=2_000, description="`next_cursor` of the page before; empty: the first.")
]
RunId = Annotated[str, Query(max_length=500, description="Run id.")]
WorkspaceId = Annotated[str, Query(max_length=500, description="Workspace id.")]
At = Annotated[
    str,
    Query(
        max_length=500,
        description="EVENT (an id, a unique prefix, `#sequence`) or TIME (RFC 3339, or an age such "
        "as `10m`).",
    ),
]
Time = Annotated[
    str, Query(max_length=100, description="RFC 3339, or an age such as `10m`; empty: no bound.")
]
TargetType = Annotated[
    str, Query(alias="type", max_length=200, description="FILE_SYSTEM, ENV_VAR, DB_SCHEMA, ...")
]
ResourceName = Annotated[str, Query(max_length=10_000, description="Name of the resource.")]
