"""Talking to the bus: publishing, reading, streams, content."""
