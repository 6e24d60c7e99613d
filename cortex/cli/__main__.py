"""`python -m cortex.cli` is `swarm`."""

from cortex.cli.main import main

main()
