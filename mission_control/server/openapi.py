"""Prints the OpenAPI document of the API; `make docs` keeps it in `docs/reference/`."""

import json
import sys
from typing import Any

from mission_control.server.routes.table import api_router, bare_app


def document() -> dict[str, Any]:
    """Return the document; it depends on nothing but the code."""
    app = bare_app()
    app.include_router(api_router())
    return app.openapi()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
