"""Agents: each does one kind of task, and says what it decides and does."""
