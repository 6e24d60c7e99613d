"""What agents share: steps, messages, values, artifacts, and who is there.

    async with open_project(agent="coder-1") as project:
        await project.claim("build")

Names are loaded when they are first used: a command that claims a step is to be quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cortex.coordination.config import ProjectConfig
    from cortex.coordination.project import Project, open_project

__all__ = ["Project", "ProjectConfig", "open_project"]

_HOMES = {
    "Project": "cortex.coordination.project",
    "ProjectConfig": "cortex.coordination.config",
    "open_project": "cortex.coordination.project",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'cortex.coordination' has no attribute {name!r}")
