"""The way of one agent's events into SQL, on a stack of its own: what `make demo` runs.

Each step prints the command, as you would type it, and what it answered. The home is a temporary
directory, so nothing is left behind; a stack that you run yourself is not touched.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLE = Path(__file__).with_name("first_agent.py")
BESIDE_PYTHON = str(Path(sys.executable).parent)
QUESTIONS = (
    "select stream_seq as seq, agent_id, agent_role as role, kind, "
    "coalesce(nullIf(rationale, ''), nullIf(target_resource, ''), status) as what "
    "from swarm.events order by stream_seq",
    "select rationale, rejected_alternatives, round(confidence_score, 2) as confidence "
    "from swarm.decisions",
    "select target_resource, diff_patch from swarm.state_changes",
    "select SpanName, round(Duration / 1e6, 1) as ms, count(e.event_id) as events "
    "from swarm.spans as s join swarm.events as e on e.span_id = s.SpanId group by all",
)


def show(*command: str) -> None:
    """Print and run one command; end the demo when it fails."""
    quoted = " ".join(f'"{word}"' if " " in word else word for word in command)
    print(f"\n$ {quoted}", flush=True)
    subprocess.run(command, check=True)


def main() -> int:
    """Run the demo and return its exit code."""
    os.environ["PATH"] = BESIDE_PYTHON + os.pathsep + os.environ.get("PATH", "")
    with tempfile.TemporaryDirectory(prefix="swarm-demo-") as folder:
        os.environ["SWARM_HOME"] = str(Path(folder) / ".swarm")
        try:
            show("swarm", "up", "--detach")
            show("python", os.path.relpath(EXAMPLE))
            for question in QUESTIONS:
                show("swarm", "sql", question)
            show("swarm", "verify")
        except subprocess.CalledProcessError as error:
            print(f"the demo stopped: exit code {error.returncode}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            show("swarm", "down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
