"""The engine: tasks and runs as events, who works on them, and what comes next."""
