"""Sessions of foreign agents: their transcripts, read and turned into events of the swarm."""
