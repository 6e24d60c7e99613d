"""Writes the types of the API's answers for the pages: `make docs`, from openapi.json.

They are read-only, as what a server said is.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "reference" / "openapi.json"
TARGET = ROOT / "mission_control" / "src" / "gen" / "api.ts"
HEAD = """// Generated from docs/reference/openapi.json by `make docs`; never edited.

/** Any JSON: what no schema fixes. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
"""
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def types_text(document: dict[str, Any]) -> str:
    """Return a module with one interface per schema of an OpenAPI document."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    parts = [_interface(name, schema) for name, schema in sorted(schemas.items())]
    return HEAD + "".join(parts)


def _interface(name: str, schema: dict[str, Any]) -> str:
    if schema.get("type") != "object":
        return f"\n{_comment(schema, '')}export type {name} = {_type(schema)};\n"
    required = schema.get("required", [])
    fields = [
        _field(key, field, "" if key in required else "?")
        for key, field in schema.get("properties", {}).items()
    ]
    return f"\n{_comment(schema, '')}export interface {name} {{\n{''.join(fields)}}}\n"


def _field(name: str, schema: dict[str, Any], mark: str) -> str:
    return f"{_comment(schema, '  ')}  readonly {name}{mark}: {_type(schema)};\n"


def _comment(schema: dict[str, Any], indent: str) -> str:
    text = " ".join(str(schema.get("description", "")).split()).replace("*/", "* /")
    return f"{indent}/** {text} */\n" if text else ""


def _type(schema: dict[str, Any] | bool) -> str:
    if isinstance(schema, bool):
        return "Json"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " | ".join(json.dumps(value) for value in values)
    kind = schema.get("type")
    if kind == "array":
        return f"readonly ({_type(schema.get('items', {}))})[]"
    if kind == "object":
        return f"Readonly<Record<string, {_type(schema.get('additionalProperties', True))}>>"
    return "null" if kind == "null" else _PLAIN.get(str(kind), "Json")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(types_text(json.loads(SOURCE.read_text(encoding="utf-8"))), encoding="utf-8")
