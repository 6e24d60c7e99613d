"""From the stream into history: compare and append."""
