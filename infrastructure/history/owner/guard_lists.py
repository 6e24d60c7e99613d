"""What a reader may use: every list names what is open, the rest is refused."""

import re
from collections.abc import Mapping

STATEMENTS = frozenset({"SelectWithUnionQuery", "ExplainQuery", "ShowTablesQuery"})
EXPLAINS = frozenset(
    {"EXPLAIN", "EXPLAIN AST", "EXPLAIN SYNTAX", "EXPLAIN QUERY TREE", "EXPLAIN PIPELINE"}
    | {"EXPLAIN ESTIMATE", "EXPLAIN PLAN"}
)
NODES = STATEMENTS | frozenset(
    {
        "ArrayJoin",
        "Asterisk",
        "ColumnsApplyTransformer",
        "ColumnsExceptTransformer",
        "ColumnsListMatcher",
        "ColumnsRegexpMatcher",
        "ColumnsReplaceTransformer",
        "ColumnsReplaceTransformerReplacement",
        "ColumnsTransformerList",
        "ExpressionList",
        "Function",
        "Identifier",
        "InterpolateElement",
        "Literal",
        "OrderByElement",
        "QualifiedAsterisk",
        "QualifiedColumnsListMatcher",
        "QualifiedColumnsRegexpMatcher",
        "QueryParameter",
        "SampleRatio",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "SetQuery",
        "Subquery",
        "TableExpression",
        "TableIdentifier",
        "TableJoin",
        "TablesInSelectQuery",
        "TablesInSelectQueryElement",
        "WindowDefinition",
        "WindowListElement",
        "WithElement",
    }
)
FORBIDDEN_KEYS = {
    "out_file": "INTO OUTFILE writes a file",
    "compression": "INTO OUTFILE writes a file",
}
SYSTEM_TABLES = frozenset(
    {
        "aggregate_function_combinators",
        "build_options",
        "collations",
        "columns",
        "contributors",
        "data_skipping_indices",
        "data_type_families",
        "databases",
        "documentation",
        "formats",
        "functions",
        "keywords",
        "licenses",
        "numbers",
        "numbers_mt",
        "one",
        "parts",
        "parts_columns",
        "settings",
        "table_engines",
        "table_functions",
        "tables",
        "time_zones",
        "zeros",
        "zeros_mt",
    }
)
INFORMATION_SCHEMA = frozenset(
    {
        "columns",
        "key_column_usage",
        "referential_constraints",
        "schemata",
        "statistics",
        "tables",
        "views",
    }
)
TABLE_FUNCTIONS = frozenset(
    {"generateSeries", "generate_series", "numbers", "numbers_mt", "values", "zeros", "zeros_mt"}
)
SYNTAX_FUNCTIONS = frozenset({"exists", "grouping", "lambda"})
"""What the parser makes of syntax, and `system.functions` does not list."""
SET_FUNCTIONS = re.compile(r"(global)?(not)?(null)?in(ignoreset)?", re.IGNORECASE)
SEPARATE_FORMATS = frozenset({"Template", "SQLInsert", "MySQLWire", "PostgreSQLWire", "PNG"})
"""Formats that read a file, speak another protocol, or draw."""
FORMAT_FAMILIES = re.compile(
    r"(Tab|TSV|TSKV|Raw|CSV|JSON|PrettyJSON|NDJSON|Pretty|Native|RowBinary|Arrow|Parquet|ORC|Values"
    r"|Vertical|XML|Markdown|MD|Null|LineAsString|MsgPack|BSONEachRow|Buffers|GeoJSON|Hash|Npy)\w*"
)

MAX_LIMITS: Mapping[str, int] = {
    "max_execution_time": 60,
    "max_memory_usage": 1_000_000_000,
    "max_result_bytes": 268_435_456,
    "max_result_rows": 50_000_000,
    "max_rows_to_read": 5_000_000_000,
    "max_bytes_to_read": 500_000_000_000,
    "max_threads": 64,
    "max_block_size": 1_000_000,
}
"""Settings that a reader may lower; larger values are cut to these."""
FREE_SETTINGS = frozenset(
    {
        "cast_keep_nullable",
        "date_time_input_format",
        "date_time_output_format",
        "empty_result_for_aggregation_by_empty_set",
        "extremes",
        "format_csv_delimiter",
        "group_by_use_nulls",
        "join_use_nulls",
        "limit",
        "offset",
        "output_format_arrow_compression_method",
        "output_format_arrow_string_as_string",
        "output_format_csv_crlf_end_of_line",
        "output_format_decimal_trailing_zeros",
        "output_format_json_array_of_rows",
        "output_format_json_escape_forward_slashes",
        "output_format_json_named_tuples_as_objects",
        "output_format_json_quote_64bit_floats",
        "output_format_json_quote_64bit_integers",
        "output_format_json_quote_decimals",
        "output_format_json_quote_denormals",
        "output_format_native_encode_types_in_binary_format",
        "output_format_native_write_json_as_string",
        "output_format_parquet_compression_method",
        "output_format_parquet_string_as_string",
        "output_format_pretty_color",
        "output_format_pretty_grid_charset",
        "output_format_pretty_max_column_pad_width",
        "output_format_pretty_max_rows",
        "output_format_pretty_max_value_width",
        "output_format_pretty_row_numbers",
        "output_format_tsv_crlf_end_of_line",
        "output_format_write_statistics",
        "prefer_column_name_to_alias",
        "result_overflow_mode",
        "session_timezone",
        "totals_mode",
        "union_default_mode",
        "use_uncompressed_cache",
    }
)
"""Settings that a reader may set as they like: they only shape the answer."""
IGNORED_SETTINGS = frozenset(
    {"readonly", "log_queries", "log_comment", "add_http_cors_header", "async_insert"}
)
"""What clients send by habit; it changes nothing here."""
