"""Modules that Debian packages for DKMS, against Debian's headers of its kernel, unpacked and not installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .kernel_run import Gfpcheck

pytestmark = pytest.mark.kernel

MODULES = {
    "acpi-call-dkms": "acpi_call.c",
    "bbswitch-dkms": "bbswitch.c",
    "dm-writeboost-dkms": "dm-writeboost-target.c",
    "v4l2loopback-dkms": "v4l2loopback.c",
}
"""By package, the file of the module that it begins with."""

HAZARD = """
void *gfpcheck_hazard(spinlock_t *lock);
void *gfpcheck_hazard(spinlock_t *lock)
{
	void *p;

	spin_lock(lock);
	p = kmalloc(8, GFP_KERNEL);
	spin_unlock(lock);
	return p;
}
"""


def _apt(*words: str, folder: Path) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}(does it take apt-get update?)"
    return done.stdout


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like /usr/src, with the modules and the headers of the distribution's kernel."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        pytest.skip("the modules are Debian's packages, and there is no apt-get")
    folder = tmp_path_factory.mktemp("debian")
    folder.chmod(0o755)  # apt-get lets another user write there
    headers = _depends("linux-headers-amd64", r"linux-headers-\S+-amd64", folder)
    common = _depends(headers, r"linux-headers-\S+-common", folder)
    _apt("apt-get", "-qq", "download", headers, common, *MODULES, folder=folder)
    for package in folder.glob("*.deb"):
        _apt("dpkg", "-x", str(package), ".", folder=folder)
    found = folder / "usr/src"
    # It names the other package by where that would be installed.
    makefile = found / headers / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src/", f"{found}/"))
    return found


def _depends(package: str, pattern: str, folder: Path) -> str:
    """The package that `package` depends on, of the name that `pattern` says."""
    match = re.search(rf"Depends: ({pattern})$", _apt("apt-cache", "depends", package, folder=folder), re.MULTILINE)
    assert match, f"{package} depends on no {pattern}"
    return match[1]


def _check(gfpcheck: Gfpcheck, sources: Path, module: Path) -> Any:
    """The JSON report of `gfpcheck --tree HEADERS MODULE`, which loses nothing."""
    (headers,) = sources.glob("linux-headers-*-amd64")
    run = gfpcheck("--tree", headers, module, "--strict", "-j2", "--format", "json")
    assert run.code in (0, 1), run.err
    data = json.loads(run.out)
    assert "out-of-tree module" in data["setup"]
    assert f"headers of {headers}" in data["setup"]
    assert data["losses"] == []
    return data


@pytest.mark.parametrize("package", MODULES)
def test_a_module(gfpcheck: Gfpcheck, sources: Path, tmp_path: Path, package: str) -> None:
    (source,) = (path for path in sources.iterdir() if path.name.startswith(package.removesuffix("-dkms")))
    plain = _check(gfpcheck, sources, source)
    assert plain["counts"]["files"] == len(list(source.glob("*.c")))
    assert plain["counts"]["allocation sites"] > 0
    module = tmp_path / source.name
    shutil.copytree(source, module)
    with (module / MODULES[package]).open("a") as stream:
        stream.write(HAZARD)
    found = _check(gfpcheck, sources, module)["findings"]
    new = [each for each in found if each["function"] == "gfpcheck_hazard"]
    assert [each["rule"] for each in new] == ["GFP101"]
    assert len(found) == len(plain["findings"]) + 1


def test_what_is_found_in_a_module(gfpcheck: Gfpcheck, sources: Path) -> None:
    (source,) = sources.glob("dm-writeboost-*")
    found = _check(gfpcheck, sources, source)["findings"]
    pools = [each for each in found if each["rule"] == "GFP502"]
    assert pools, "memory pools that wait are doubted all over it"
    for each in pools:
        line = (source / each["file"]).read_text().splitlines()[each["line"] - 1]
        assert "mempool_alloc(" in line
