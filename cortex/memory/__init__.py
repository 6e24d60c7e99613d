"""Memory: what an agent keeps in mind in a run, and what earlier runs have left."""
