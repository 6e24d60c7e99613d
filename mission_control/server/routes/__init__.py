"""The endpoints under `/api/v1`, one module per concern; each asks the desk and decides nothing."""
