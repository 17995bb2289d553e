"""C++ users take the repository by add_subdirectory and link farthing::core."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def run(*command: str | Path) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{command}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    return ran.stdout


def test_add_subdirectory_builds_the_core_alone(tmp_path: Path) -> None:
    build = tmp_path / "build"
    source = Path(__file__).parent / "consumer"
    options = [
        f"-DFARTHING={ROOT}",
        f"-DPython_EXECUTABLE={sys.executable}",
        "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache",
        "-DCMAKE_UNITY_BUILD=ON",  # a third of the time
    ]
    configured = run("cmake", "-S", source, "-B", build, "-GNinja", *options)
    assert "CMake Warning" not in configured
    targets = run("cmake", "--build", build, "--target", "help")
    for ours in ("_farthing", "zone_test", "money_test"):
        assert f"{ours}:" not in targets
    run("cmake", "--build", build, "--target", "consumer", "--parallel", str(os.cpu_count()))
    assert run(build / "consumer").strip() == "refused: cap_exceeded"
