"""Foreign telemetry on its way into the swarm."""
