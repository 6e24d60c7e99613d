"""What `swarm verify` refuses before it asks anybody."""

import pytest
import typer
from typer.testing import CliRunner

from cortex.cli.verify_command import verify


@pytest.mark.parametrize("bound", ["--from", "--to"])
def test_a_head_is_not_signed_after_a_look_at_a_part(bound: str) -> None:
    app = typer.Typer()
    app.command()(verify)
    result = CliRunner().invoke(app, ["--sign", bound, "3"])
    assert (result.exit_code, "--sign" in result.output) == (2, True)
