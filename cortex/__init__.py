"""The thinking part of the swarm, and its command line."""
