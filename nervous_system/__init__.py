"""The language of the swarm: events, the bus, telemetry."""
