"""The swarm's main job on a small repository, and what can be asked of it: what `make demo` runs.

Each step prints the command, as you would type it, and what it answered. Everything lies in a
temporary directory; a stack that you run yourself is not touched. On a terminal the stack stays up
until Ctrl-C, so that you can ask more.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

EXPORT = Path(__file__).parent / "harbour" / "repository.fast-export"
BESIDE_PYTHON = str(Path(sys.executable).parent)
TASK = "fix all lint findings"
TIMELINE = """
select formatDateTime(event_time, '%H:%i:%S.%f') as at, agent_id as agent, kind,
    left(multiIf(kind = 'decision', rationale, kind = 'state_change', target_resource,
        concat(task_id, ' ', task_state)), 90) as what
from swarm.events
where run_id = '{run}' and kind in ('decision', 'state_change', 'task_transition')
    and (kind != 'task_transition' or task_state in ('DONE', 'REFUSED'))
    and (kind != 'state_change' or workspace_id = run_id)
order by event_time
"""
COSTS = """
select tool_name, count() as calls, countIf(tool_outcome != 'ok') as failed,
    round(sum(tool_duration_us) / 1000) as ms
from swarm.tool_calls where run_id = '{run}' group by tool_name order by ms desc limit 8
"""
FIRST_ACCEPTED = """
select toString(event_id) as event, attributes['commit'] as commit from swarm.state_changes
where workspace_id = '{run}' and attributes['commit'] != '' order by stream_seq
"""


def show(*command: str, directory: Path | None = None) -> None:
    """Print and run one command; end the demo when it fails."""
    quoted = " ".join(f'"{word}"' if set(word) & set(" ()'*") else word for word in command)
    print(f"\n$ {quoted}", flush=True)
    subprocess.run(command, check=True, cwd=directory)


def ask(*command: str, directory: Path | None = None) -> bytes:
    """Return what a command prints."""
    return subprocess.run(command, check=True, cwd=directory, stdout=subprocess.PIPE).stdout


def unpack(repository: Path) -> None:
    """Make the bundled repository, with its history."""
    ask("git", "init", "--quiet", "--initial-branch=main", str(repository))
    with EXPORT.open("rb") as export:
        command = ["git", "fast-import", "--quiet"]
        subprocess.run(command, check=True, cwd=repository, stdin=export)
    ask("git", "checkout", "--quiet", "main", directory=repository)


def compare(restored: Path, repository: Path, commit: str) -> None:
    """Compare each restored file with git's, byte for byte and mode for mode."""
    listed = ask("git", "ls-tree", "-r", "-z", commit, directory=repository).split(b"\0")[:-1]
    there = [path for path in restored.rglob("*") if path.is_file()]
    for entry in listed:
        facts, _, name = entry.partition(b"\t")
        mode, _, blob = facts.split(b" ")
        path = restored / os.fsdecode(name)
        expected = ask("git", "cat-file", "blob", blob.decode(), directory=repository)
        is_executable = bool(path.stat().st_mode & 0o100)
        if path.read_bytes() != expected or is_executable != (mode == b"100755"):
            raise SystemExit(f"{path} is not what commit {commit[:12]} holds")
    if len(there) != len(listed):
        raise SystemExit(
            f"{len(there)} files were restored, commit {commit[:12]} has {len(listed)}"
        )
    print(f"all {len(listed)} files are, byte for byte, those of commit {commit[:12]}")


def tour(repository: Path, folder: Path) -> None:
    """Run the job and ask what happened."""
    show("swarm", "run", TASK, "--repo", repository.name, directory=folder)
    (newest, *_) = json.loads(ask("swarm", "runs", "--json"))
    run = newest["run_id"]
    show("git", "log", "--oneline", "--stat", f"main..swarm/{run}", directory=repository)
    print("\nWhat happened, from SQL:")
    subprocess.run(["swarm", "sql", TIMELINE.format(run=run)], check=True)
    print("\nWhat the tools took:")
    subprocess.run(["swarm", "sql", COSTS.format(run=run)], check=True)
    show("swarm", "why", "harbour/log.py:9", "--workspace", run)
    changes = json.loads(ask("swarm", "sql", "--format", "json", FIRST_ACCEPTED.format(run=run)))
    first = [one for one in changes if one["commit"] == changes[0]["commit"]][-1]
    print("\nBack to the moment after the first accepted change:")
    show("swarm", "restore", "--at", first["event"], "--to", "restored", directory=folder)
    compare(folder / "restored", repository, first["commit"])
    show("swarm", "verify")


def stay() -> None:
    """Keep the stack up until Ctrl-C, for whoever looks at a terminal."""
    home = os.environ["SWARM_HOME"]
    print(f"\nThe stack stays up until Ctrl-C. Ask more: swarm --home {home} sql|events|why ...")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.pause()


def main() -> int:
    """Run the demo and return its exit code."""
    os.environ["PATH"] = BESIDE_PYTHON + os.pathsep + os.environ.get("PATH", "")
    with tempfile.TemporaryDirectory(prefix="swarm-demo-") as name:
        folder = Path(name)
        repository = folder / "harbour"
        os.environ["SWARM_HOME"] = str(folder / ".swarm")
        try:
            unpack(repository)
            show("swarm", "up", "--detach")
            tour(repository, folder)
            dashboard = json.loads(ask("swarm", "status", "--json"))["dashboard_url"]
            print(f"\ndashboard: {dashboard}")
            if sys.stdout.isatty() and sys.stdin.isatty():
                stay()
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
