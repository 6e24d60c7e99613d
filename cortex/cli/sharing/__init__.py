"""The commands by which agents share a project: `swarm claim`, `send`, `memory`, ..."""

NAMES = frozenset(
    {
        *("init", "agents", "claim", "release", "complete", "step-status", "steps", "wait-for"),
        *("send", "inbox", "memory", "artifact", "guide"),
    }
)
"""What `cortex.cli.main` looks for before it loads anything else."""
