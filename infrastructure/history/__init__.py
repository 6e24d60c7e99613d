"""The long-term store of events in ClickHouse, and its read side."""
