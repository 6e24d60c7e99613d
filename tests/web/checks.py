"""Every check of the pages that needs no browser: `make web-check`.

Format and lint, strict types, dead code, tests, and that the generated types are what the contract
generates. All are run; the exit code says whether all passed.
"""

import filecmp
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mission_control.web_build import Tools, find_tools, install_packages

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "mission_control"
GENERATED = WEB / "src" / "gen"
EVENTS = Path("enchanted/events/v1/events_pb.ts")
ANSWERS = Path("api.ts")
CHECKS = {
    "format and lint": "@biomejs/biome/bin/biome ci --error-on-warnings .",
    "types": "typescript/bin/tsc --noEmit",
    "dead code": "knip/bin/knip.js --no-progress",
    "tests": "vitest/vitest.mjs run --reporter=dot",
}


def run_check(tools: Tools, name: str, command: str) -> bool:
    """Run one check below `mission_control`; print what it says when it fails."""
    print(f"   {name}", flush=True)
    script, *arguments = command.split()
    environment = {**os.environ, "NO_COLOR": "1", "PATH": _path(tools)}
    done = subprocess.run(
        [str(tools.node), str(WEB / "node_modules" / script), *arguments],
        cwd=WEB,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout)
    return done.returncode == 0


def are_types_fresh(tools: Tools) -> bool:
    """Return whether the committed types are what contract and API generate."""
    print("   generated types", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        _generate(tools, "proto/generate_web.py", str(made))
        _generate(tools, "mission_control/api_types.py", str(made / ANSWERS))
        stale = [
            file
            for file in (EVENTS, ANSWERS)
            if not filecmp.cmp(made / file, GENERATED / file, shallow=False)
        ]
    if stale:
        print(f"not what make proto-web and make docs write: {', '.join(map(str, stale))}")
    return not stale


def _generate(tools: Tools, script: str, target: str) -> None:
    environment = {**os.environ, "PATH": _path(tools)}
    subprocess.run([sys.executable, script, target], cwd=ROOT, env=environment, check=True)


def main() -> int:
    """Run everything; return the exit code."""
    tools = find_tools(os.environ)
    install_packages(WEB, tools, os.environ)
    passed = [run_check(tools, name, command) for name, command in CHECKS.items()]
    passed.append(are_types_fresh(tools))
    return 0 if all(passed) else 1


def _path(tools: Tools) -> str:
    return os.pathsep.join((str(tools.node.parent), os.environ.get("PATH", "")))


if __name__ == "__main__":
    sys.exit(main())
