"""Gets what browser tests need: `python -m tests.web.prepare`, before they run.

Packages of the pages come as the lock file pins them. Where Debian's packages may be installed,
Chromium is; elsewhere it says why not, and the tests
that need it are skipped. In continuous integration they fail instead.
"""

import os
import shutil
import subprocess
import sys

from mission_control.web_build import find_tools, install_packages
from tests.support.browser import WEB, chromium_binary

_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}
_APT = ("apt-get", "-qq", "-o", "Dpkg::Use-Pty=0")


def install_chromium() -> str:
    """Install it if it is missing; return why there is none, empty when there is one."""
    if chromium_binary():
        return ""
    if shutil.which("apt-get") is None:
        return "there is no apt-get"
    if os.geteuid() != 0:
        return "packages can only be installed by root"
    print("installing Chromium from Debian's packages (about 120 MB)", flush=True)
    for arguments in (("update",), ("install", "--yes", "--no-install-recommends", "chromium")):
        done = subprocess.run(
            (*_APT, *arguments),
            env={**os.environ, **_QUIET},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            return f"apt-get {arguments[0]} failed: {done.stderr.strip()[-300:]}"
    return "" if chromium_binary() else "the package brought no chromium"


if __name__ == "__main__":
    install_packages(WEB, find_tools(os.environ), os.environ)
    if reason := install_chromium():
        print(f"no Chromium: {reason}", file=sys.stderr)
