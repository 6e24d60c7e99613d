"""Starts, watches and stops the embedded servers."""
