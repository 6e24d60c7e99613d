"""Generates the TypeScript types of the wire contract into `mission_control/src/gen/`.

Run by `make proto-web`. The plugin of protoc that writes them is one of the pages' own packages.
"""

import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

from mission_control.web_build import find_tools, install_packages

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
WEB = ROOT / "mission_control"
PLUGIN = WEB / "node_modules" / ".bin" / "protoc-gen-es"


def generate(target: Path) -> None:
    """Write `enchanted/events/v1/events_pb.ts` below `target`, in the place of what is there."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    arguments = [
        "protoc",
        f"-I{PROTO}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--plugin=protoc-gen-es={PLUGIN}",
        f"--es_out={target}",
        "--es_opt=target=ts",
        str(PROTO / "enchanted" / "events" / "v1" / "events.proto"),
    ]
    if protoc.main(arguments) != 0:
        sys.exit("protoc refused the contract or found no plugin; its message is above")


if __name__ == "__main__":
    install_packages(WEB, find_tools(os.environ), os.environ)
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else WEB / "src" / "gen")
