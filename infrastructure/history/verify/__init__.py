"""Proof that history is the stream: what is checked, what is found, what cannot be proven.

Pure: `findings`, `ledger`, `emitters`, `rows`, `heads`, `scope`, `stretch`, `repair_plan`. Thin:
`store` and `bus_source` read, `service` drives one `stream_check` per stream, `inspection` and
`testimony` look closer at what differs, `repair` rebuilds.
"""
