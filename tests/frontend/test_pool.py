"""Many files, several processes: one result, whatever happens."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import msgspec
import pytest
from frontend_source import ARGS, Source

from gfpcheck.frontend import FrontendError, Settings, libclang, lower_units, pool, worker
from gfpcheck.ir.types import Module
from gfpcheck.kbuild.types import Unit

FILES = 20


@pytest.fixture
def units(source: Source) -> list[Unit]:
    source.unit("include/common.h", "#pragma once\nstatic inline int twice(int x) { return x + x; }\n")
    source.unit("include/more.h", "#pragma once\nstatic inline int four(int x) { return twice(twice(x)); }\n")
    args = (*ARGS, f"-I{source.root}/include")
    return [
        source.unit(
            f"d{number % 2}/f{number:02}.c",
            "#include <common.h>\n#include <more.h>\n"
            f"int f{number}(int x) {{ return {'twice' if number % 3 else 'four'}(x); }}\n",
            args,
        )
        for number in range(FILES)
    ]


def lower(units: list[Unit], root: Path, jobs: int, use_pch: bool = True) -> list[Module]:
    return list(lower_units(units, settings(root, jobs, use_pch)))


def settings(root: Path, jobs: int = 2, use_pch: bool = True) -> Settings:
    return Settings(str(root), frozenset(), frozenset(), jobs, root / "pch" if use_pch else None)


def encoded(modules: list[Module]) -> list[bytes]:
    return [msgspec.msgpack.encode(module) for module in modules]


def test_same_bytes_for_any_number_of_processes(units: list[Unit], source: Source) -> None:
    one = lower(units, source.root, 1)
    assert encoded(one) == encoded(lower(list(reversed(units)), source.root, 3))
    assert [module.file for module in one] == sorted(unit.rel for unit in units)
    assert [len(module.functions) for module in one] == [1] * FILES


def test_header_functions_come_with_the_first_unit_that_uses_them(units: list[Unit], source: Source) -> None:
    for use_pch in (True, False):
        modules = {module.file: module for module in lower(units, source.root, 2, use_pch)}
        users = {name: [func.name for func in module.headers] for name, module in modules.items() if module.headers}
        assert users == {"d0/f00.c": ["twice", "four"]}


@pytest.mark.parametrize(("count", "largest", "batches"), [(0, 0, 0), (1, 1, 1), (5, 1, 5), (20, 3, 7), (1000, 16, 63)])
def test_partition(source: Source, count: int, largest: int, batches: int) -> None:
    units = [Unit(f"/{number}", str(number), (), "/") for number in range(count)]
    parts = pool.partition(units)
    assert [unit for part in parts for unit in part] == units
    assert (max(map(len, parts), default=0), len(parts)) == (largest, batches)


def test_without_precompiled_headers(units: list[Unit], source: Source) -> None:
    plain = lower(units, source.root, 2, use_pch=False)
    assert not (source.root / "pch").exists()
    for module in (*plain, *(others := lower(units, source.root, 2))):
        module.includes.clear()
    assert (source.root / "pch").exists()
    assert encoded(plain) == encoded(others)


def test_no_units(source: Source) -> None:
    assert lower([], source.root, 2) == []


def test_progress(units: list[Unit], source: Source) -> None:
    seen: list[tuple[int, int]] = []
    told = settings(source.root)._replace(progress=lambda done, total: seen.append((done, total)))
    assert len(list(lower_units(units, told))) == FILES
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (FILES, FILES)


def test_unreadable_files(units: list[Unit], source: Source) -> None:
    gone = Unit(str(source.root / "gone.c"), "gone.c", ARGS, str(source.root))
    folder = Unit(str(source.root / "include"), "include", ARGS, str(source.root))
    modules = {module.file: module for module in lower([*units, gone, folder], source.root, 2)}
    assert len(modules) == FILES + 2
    assert [(error.file, error.line) for error in modules["gone.c"].errors] == [("gone.c", 0)]
    assert modules["include"].errors
    assert all(modules[unit.rel].functions for unit in units)


def test_name_that_is_not_utf8(units: list[Unit], source: Source) -> None:
    name = os.fsdecode(b"d0/f\xe9.c")
    try:
        odd = source.unit(name, "int x;\n", units[0].args)
    except OSError:
        pytest.skip("this file system has no such names")
    modules = lower([*units, odd], source.root, 2)
    assert [(module.file, module.errors[0].message) for module in modules if module.errors] == [
        ("d0/f?.c", "the name is not UTF-8")
    ]
    assert len(modules) == FILES + 1


def test_process_that_dies_loses_its_file_alone(
    units: list[Unit], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker kills itself on a file of that name, as a crash of libclang would."""
    reference = {module.file: module for module in lower(units, source.root, 2, use_pch=False)}
    deadly = source.unit("d0/f99-deadly.c", "int x;\n", units[0].args)
    monkeypatch.setattr(worker, "run", _die_on_deadly)
    modules = {module.file: module for module in lower([*units, deadly], source.root, 2)}
    assert [error.message for error in modules.pop(deadly.rel).errors] == ["the process that read it died"]
    assert set(modules) == set(reference)
    assert all(modules[name].functions == reference[name].functions for name in modules)


_run = worker.run


def _die_on_deadly(path: str) -> str:
    job = msgspec.msgpack.decode(Path(path).read_bytes(), type=worker.Lower | worker.Prepare)
    if isinstance(job, worker.Lower) and any("deadly" in unit.rel for unit, _ in job.units):
        os.kill(os.getpid(), signal.SIGKILL)
    return _run(path)


def test_no_libclang(units: list[Unit], source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    libclang.load.cache_clear()
    monkeypatch.setenv(libclang.ENVIRONMENT, "/nonexistent.so")
    try:
        with pytest.raises(FrontendError):
            lower(units, source.root, 2)
    finally:
        libclang.load.cache_clear()


@pytest.mark.parametrize("delay", [None, 0.02, 0.1, 0.2])
def test_interrupt_ends_the_workers_at_once(source: Source, delay: float | None) -> None:
    """Early, while processes are being started, and late, while they work."""
    body = "\n".join(f"int g{n}(int x) {{ if (x) return g{n}(x - 1); return {n}; }}" for n in range(3000))
    for number in range(16):
        source.unit(f"big{number}.c", body)
    script = source.root / "run.py"
    script.write_text(
        textwrap.dedent(f"""
        from pathlib import Path
        from gfpcheck.frontend import Settings, lower_units
        from gfpcheck.kbuild.types import Unit
        if __name__ == "__main__":
            root = {str(source.root)!r}
            units = [Unit(f"{{root}}/big{{n}}.c", f"big{{n}}.c", (), root) for n in range(16)]
            try:
                print("start", flush=True)
                settings = Settings(root, frozenset(), frozenset(), 2, Path(root, "pch"))
                for module in lower_units(units, settings):
                    print("module", flush=True)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        """)
    )
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "start\n"
    if delay is None:
        assert process.stdout.readline() == "module\n"
    else:
        time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert "interrupted" in out
    assert out.count("module") < 15
    assert err == ""


def test_stopping_early_ends_the_workers(units: list[Unit], source: Source) -> None:
    found = lower_units(units, settings(source.root))
    next(iter(found))
    workers = multiprocessing.active_children()
    assert workers
    found.close()  # type: ignore[attr-defined]
    for process in workers:
        process.join(10)
        assert not process.is_alive()
