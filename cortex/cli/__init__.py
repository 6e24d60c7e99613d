"""The `swarm` command: the composition root that joins the parts."""
