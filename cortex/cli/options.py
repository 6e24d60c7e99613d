"""Options that several commands share, under one name and one meaning."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON; messages stay on stderr.")]
NoWait = Annotated[
    bool,
    typer.Option("--no-wait", help="Do not wait until history has reached the end of the stream."),
]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0, help="How long to wait at most.")
]
