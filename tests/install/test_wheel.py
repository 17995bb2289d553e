"""What `pip install farthing` gives: the wheel alone, in a clean environment, without compiler or network."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = (ROOT / "VERSION").read_text().strip()
pytestmark = pytest.mark.slow

SMOKE = """
import farthing
assert "site-packages" in farthing.__file__, farthing.__file__
assert farthing.__version__ == {version!r}
guard = farthing.Guard(caps=[farthing.Cap("5 USD", per="day")], store="memory:")
print(guard.status())
"""


def run(*command: str | Path, cwd: Path | None = None) -> str:
    ran = subprocess.run(
        command, cwd=cwd, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    return ran.stdout


@pytest.fixture(scope="module")
def wheel() -> Path:
    subprocess.run([ROOT / "scripts/wheel"], check=True)
    (found,) = (ROOT / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def venv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean") / "venv"
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel)
    return folder


def test_holds_what_it_needs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.startswith("farthing/_farthing.") and name.endswith(".so") for name in names)
    assert "farthing/py.typed" in names
    # libcurl and what it needs would be thirty of them.
    (library,) = [name for name in names if name.startswith("farthing.libs/") and ".so" in name]
    assert library.startswith("farthing.libs/libsqlite3")
    assert [name for name in names if "test" in name or name.endswith((".cpp", ".h", ".a"))] == []
    assert wheel.stat().st_size < 6_000_000


def test_works_in_a_clean_environment(venv: Path, tmp_path: Path) -> None:
    run(venv / "bin/python", "-c", SMOKE.format(version=VERSION), cwd=tmp_path)


def test_brings_the_command(venv: Path, tmp_path: Path) -> None:
    assert VERSION in run(venv / "bin/farthing", "--version", cwd=tmp_path)


def test_the_module_exports_its_init_function_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (module,) = [
            name
            for name in archive.namelist()
            if name.startswith("farthing/_farthing.") and ".so" in name
        ]
        exported = run("nm", "-D", "--defined-only", archive.extract(module, tmp_path)).split()
    assert exported[2::3] == ["PyInit__farthing"]
