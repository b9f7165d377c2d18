"""The sources pass the checkers as they are set in `pyproject.toml`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "checker",
    [["ruff", "check", "--no-cache", "src", "tests"], ["mypy", "--cache-dir", "/dev/null"]],
    ids=["ruff", "mypy"],
)
def test_the_checkers_find_nothing(checker: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *checker], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
