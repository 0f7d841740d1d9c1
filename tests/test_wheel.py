"""The built package: it is complete, and works in a clean environment away from the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from fixtures_harness import TREE

from gfpcheck import __version__

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 600

pytestmark = pytest.mark.slow


class Built(NamedTuple):
    """What was built from these files, and the Python into which the wheel was installed."""

    files: tuple[str, ...]
    sdist: Path
    wheel: Path
    python: Path


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command that must not see the checkout."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "GFPCHECK_CACHE")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    env |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "XDG_CACHE_HOME": str(cwd / "cache")}
    # pip keeps its own cache, which the line above would move away.
    env.setdefault("PIP_CACHE_DIR", str(Path.home() / ".cache/pip"))
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Builds what git has, the wheel out of the sdist, and installs the wheel."""
    listing = run("git", "-C", ROOT, "ls-files", "-z", cwd=ROOT)
    if listing.returncode:
        pytest.skip("not a git checkout")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    files = tuple(name for name in listing.stdout.split("\0") if name and os.path.lexists(ROOT / name))
    for name in files:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    done = run(sys.executable, "-m", "build", "--outdir", folder / "dist", source, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    [sdist] = (folder / "dist").glob("*.tar.gz")
    [wheel] = (folder / "dist").glob("*.whl")
    shutil.rmtree(source)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    done = run(python, "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(files, sdist, wheel, python)


def test_contents(built: Built) -> None:
    assert built.sdist.name == f"gfpcheck-{__version__}.tar.gz"
    assert built.wheel.name == f"gfpcheck-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
    link = "gfpcheck/builtin_rules"
    assert link in built.files
    expected = {name for name in built.files if name.startswith("gfpcheck/") and name != link}
    expected |= {f"gfpcheck/builtin_{name}" for name in built.files if name.startswith("rules/")}
    assert {name for name in names if name.startswith("gfpcheck/")} == expected
    outside = {name for name in names if not name.startswith("gfpcheck/")}
    assert all(name.startswith(f"gfpcheck-{__version__}.dist-info/") for name in outside)
    assert any(name.endswith("/licenses/LICENSE") for name in outside)
    with tarfile.open(built.sdist) as sdist:
        packed = set(sdist.getnames())
    wanted = {name for name in built.files if not name.startswith((".ci/", ".github/workflows/")) and name != link}
    assert {f"gfpcheck-{__version__}/{name}" for name in wanted} <= packed


def test_it_runs_away_from_the_checkout(built: Built, tmp_path: Path) -> None:
    shutil.copytree(TREE, tmp_path / "linux")
    command = built.python.with_name("gfpcheck")
    done = run(command, "--version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"gfpcheck {__version__} (clang version ")
    done = run(command, "linux/fs/minifs", "--format", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert {finding["rule"] for finding in report["findings"]} >= {"GFP101", "GFP201", "GFP301", "GFP302"}
    assert {finding["rule"] for finding in report["findings"]} <= {rule["id"] for rule in report["rules"]}
    assert report["losses"] == []
    as_module = run(built.python, "-m", "gfpcheck", "linux/fs/minifs", "--format", "json", cwd=tmp_path)
    assert (as_module.returncode, as_module.stdout) == (done.returncode, done.stdout)


def test_every_format_has_its_data(built: Built, tmp_path: Path) -> None:
    shutil.copytree(TREE, tmp_path / "linux")
    for fmt in ("text", "sarif", "github", "gcc", "html"):
        done = run(built.python.with_name("gfpcheck"), "linux/fs/minifs/journal.c", "--format", fmt, cwd=tmp_path)
        assert done.returncode == 1, done.stderr
        assert "GFP301" in done.stdout
    program = (
        "import importlib.resources as r, gfpcheck, json\n"
        "package = r.files(gfpcheck)\n"
        "json.loads((package / 'report/report.schema.json').read_text())\n"
        "assert (package / 'py.typed').is_file()\n"
        "print(gfpcheck.__file__)\n"
    )
    done = run(built.python, "-I", "-c", program, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(built.python.parent.parent) in done.stdout
