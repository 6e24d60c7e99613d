"""The process that owns embedded history, and its ClickHouse-compatible HTTP endpoint."""
