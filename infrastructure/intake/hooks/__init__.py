"""Hooks: what foreign agents say of themselves while they work."""
