"""Spans, trace context and redaction."""
