"""`gfpcheck lsp` as an editor knows it."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures_harness import TREE
from lsprotocol import types
from repository import HAZARD

from .editor import ROOT, editor

PLAIN = ROOT / "tests/cli/plain"

FILE = "fs/minifs/journal.c"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the miniature kernel."""
    root = tmp_path / "linux"
    shutil.copytree(TREE, root)
    return root


def codes(diagnostics: list[types.Diagnostic]) -> list[object]:
    return [each.code for each in diagnostics]


def test_findings_come_with_their_way(tree: Path, cache: Path) -> None:
    async def edit() -> None:
        path = tree / "rules/GFP201/assigned.c"
        async with editor(cache, "--select", "GFP201") as one:
            one.open(path, "\n" + path.read_text())
            found = (await one.diagnostics(path))[0]
        lines = {str(path.as_uri()): ["", *path.read_text().splitlines()]}
        start, end = found.range.start, found.range.end
        assert lines[path.as_uri()][start.line][start.character : end.character] == "kmalloc"
        assert (start.line, found.severity) == (end.line, types.DiagnosticSeverity.Warning)
        assert found.message.startswith("kmalloc() with GFP_KERNEL may enter reclaim with mutex pool->list_lock")
        related = found.related_information or []
        assert related[0].message.endswith("taken here")
        assert related[-1].message.startswith("on the other side: ")
        # In the tree itself, wherever it was analysed.
        header = tree / "include/linux/mutex.h"
        lines[header.as_uri()] = header.read_text().splitlines()
        assert {each.location.uri for each in related} == lines.keys()
        for each in related:
            line = lines[each.location.uri][each.location.range.start.line]
            assert line[each.location.range.start.character : each.location.range.end.character].isidentifier()

    asyncio.run(edit())


def test_the_text_that_counts_is_the_editors(tree: Path, cache: Path) -> None:
    async def edit() -> None:
        path = tree / FILE
        saved = path.read_text()
        async with editor(cache, "--select", "GFP101") as one:
            one.open(path)
            before = codes(await one.diagnostics(path))
            version = one.type(path, saved + HAZARD)
            found = await one.diagnostics(path, version)
            assert codes(found) == [*before, "GFP101"]
            lines = (saved + HAZARD).splitlines()
            assert "kmalloc(size" in lines[found[-1].range.start.line]
            # Nothing was written, and nobody is led to where it was analysed.
            assert path.read_text() == saved
            assert {info.location.uri for info in found[-1].related_information or []} == {path.as_uri()}
            version = one.type(path, saved)
            assert codes(await one.diagnostics(path, version)) == before

    asyncio.run(edit())


def test_what_only_the_neighbours_show_comes_later_and_stays(tree: Path, cache: Path) -> None:
    """That reclaim takes the lock is seen in another file, where the method is registered."""

    async def edit() -> None:
        path = tree / "fs/minifs/inode.c"
        saved = path.read_text()
        async with editor(cache, "--select", "GFP201") as one:
            one.open(path)
            assert await one.diagnostics(path) == []
            await one.anything()
            found = (await one.diagnostics(path))[0]
            version = one.type(path, "\n" + saved)
            moved = (await one.diagnostics(path, version))[0]
            assert moved.range.start.line == found.range.start.line + 1
            for old, new in zip(found.related_information or [], moved.related_information or [], strict=True):
                assert new.location.range.start.line == old.location.range.start.line + 1
            # The line itself has changed: nothing is known of it until the next wide look.
            version = one.type(
                path, saved.replace("chunk = kzalloc(size, GFP_KERNEL);", "chunk = kzalloc(size, GFP_NOFS);")
            )
            assert await one.diagnostics(path, version) == []
            version = one.type(path, saved)
            assert await one.diagnostics(path, version) == [found]

    asyncio.run(edit())


def test_what_a_header_says_in_the_editor_counts_too(tree: Path, cache: Path) -> None:
    async def edit() -> None:
        path, header = tree / "fs/minifs/typed.c", tree / "fs/minifs/typed.h"
        path.write_text(
            '#include <linux/slab.h>\n#include <linux/spinlock.h>\n#include "typed.h"\n'
            + HAZARD.replace("GFP_KERNEL", "TYPED")
        )
        header.write_text("#define TYPED GFP_ATOMIC\n")
        async with editor(cache, "--select", "GFP101") as one:
            one.open(path)
            assert await one.diagnostics(path) == []
            one.open(header)
            one.type(header, "#define TYPED GFP_KERNEL\n")
            await one.until(lambda: codes(list(one.published[-1].diagnostics)) == ["GFP101"])
            one.save(header, "#define TYPED GFP_ATOMIC\n")
            one.type(header, "#define TYPED GFP_ATOMIC\n")
            await one.until(lambda: not one.published[-1].diagnostics)
            assert {each.uri for each in one.published} == {path.as_uri()}

    asyncio.run(edit())


def test_broken_text_does_no_harm(tree: Path, cache: Path) -> None:
    texts = ["", "int", "#include <nowhere.h>\n{{{{ ((", "void f(void) {" * 3000, "\0\ud800\n", "int x = '\\\n" * 100]

    async def edit() -> None:
        path = tree / FILE
        saved = path.read_text()
        async with editor(cache, "--select", "GFP301") as one:
            one.open(path, "(((")
            for text in texts:
                one.type(path, text)
                await one.anything()
            version = one.type(path, saved)
            assert codes(await one.diagnostics(path, version)) == ["GFP301"]

    asyncio.run(edit())


def test_only_the_last_of_many_versions_is_told(tree: Path, cache: Path) -> None:
    async def edit() -> None:
        path = tree / FILE
        saved = path.read_text()
        async with editor(cache, "--select", "GFP101") as one:
            one.open(path)
            for number in range(30):
                version = one.type(path, f"{saved}/* {number} */\n" + (HAZARD if number == 29 else ""))
                await asyncio.sleep(0.02)
            assert "GFP101" in codes(await one.diagnostics(path, version))
            assert {each.version for each in one.published} <= {1, version}

    asyncio.run(edit())


def test_the_server_answers_while_it_analyses(tree: Path, tmp_path: Path) -> None:
    async def edit() -> None:
        path = tree / FILE
        async with editor(tmp_path / "cold") as one:
            one.open(path)
            await asyncio.sleep(0.2)
            one.close(path)
            # Nothing is known of the file that is closed, and the one that is open now does not wait for it.
            other = tree / "fs/minifs/alloc.c"
            one.open(other)
            assert await one.diagnostics(path, None) == []
            assert not any(each.uri == other.as_uri() for each in one.published)
            assert codes(await one.diagnostics(other)) == ["GFP101"]
            assert [each.uri for each in one.published] == [path.as_uri(), other.as_uri()]

    asyncio.run(edit())


@pytest.mark.parametrize(
    ("encoding", "column"),
    [
        (types.PositionEncodingKind.Utf8, 16),
        (types.PositionEncodingKind.Utf16, 14),
        (types.PositionEncodingKind.Utf32, 13),
    ],
)
def test_columns_are_counted_as_the_editor_does(
    tree: Path, cache: Path, encoding: types.PositionEncodingKind, column: int
) -> None:
    async def edit() -> None:
        path = tree / FILE
        text = path.read_text() + HAZARD.replace("\tp = ", "\t/* \U0001f512 */ p = ")
        async with editor(cache, "--select", "GFP101", encodings=[encoding]) as one:
            one.open(path, text)
            found = (await one.diagnostics(path))[-1]
            assert found.range.start.character == column
            assert found.range.end.character == column + len("kmalloc")

    asyncio.run(edit())


def test_settings_of_the_project(tree: Path, cache: Path) -> None:
    async def edit() -> None:
        path, config = tree / FILE, tree / "gfpcheck.toml"
        text = path.read_text() + HAZARD
        config.write_text('select = ["GFP101"]\n[[per-path]]\npaths = ["fs"]\nlevels = { GFP101 = "note" }\n')
        async with editor(cache) as one:
            one.open(path, text)
            assert (await one.diagnostics(path))[-1].severity == types.DiagnosticSeverity.Information
            config.write_text("nonsense = 1\n")
            version = one.type(path, text + "\n")
            await one.until(lambda: bool(one.shown))
            assert "unknown key 'nonsense'" in one.shown[0]
            config.write_text('select = ["GFP301"]\n')
            one.save(path, text + "\n")
            assert codes(await one.diagnostics(path, version)) == ["GFP301"]

    asyncio.run(edit())


def test_opening_a_file_does_not_run_what_lies_beside_it(
    tree: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def edit() -> None:
        trap = "import pathlib; pathlib.Path(__file__).with_suffix('.ran').touch()\n"
        (tree / "rules.d").mkdir()
        for name in ("rules.d/gfp999_trap.py", "gfpcheck.py", "click.py", "msgspec.py"):
            (tree / name).write_text(trap)
        path = tree / FILE
        async with editor(cache) as one:
            one.open(path, path.read_text() + "\n")
            assert codes(await one.diagnostics(path)) == ["GFP301"]
            (tree / "gfpcheck.toml").write_text('rules = ["rules.d"]\n')
            one.save(path, path.read_text())
            await one.until(lambda: bool(one.shown))
        assert "names rules, which are programs; to run them, say --config" in one.shown[0]
        assert list(tree.rglob("*.ran")) == []

    monkeypatch.chdir(tree)
    asyncio.run(edit())


def test_a_project_with_compile_commands(cache: Path, tmp_path: Path) -> None:
    """Outside any kernel: the flags must be those of the project, whether the text is saved or not."""

    async def edit() -> None:
        project = tmp_path / "project"
        shutil.copytree(PLAIN, project / "src")
        (project / "include").mkdir()
        (project / "src/memory.h").rename(project / "include/memory.h")
        path = project / "src/queue.c"
        saved = path.read_text().replace('"memory.h"', "<memory.h>")
        path.write_text(saved)
        entry = {
            "directory": str(project),
            "file": str(path),
            "arguments": ["cc", f"-I{project}/include", "-c", str(path)],
        }
        (project / "compile_commands.json").write_text(json.dumps([entry]))
        async with editor(cache, "--model", str(project / "src/model.toml")) as one:
            one.open(path)
            before = await one.diagnostics(path)
            assert before
            version = one.type(path, "\n" + saved)
            after = await one.diagnostics(path, version)
            assert codes(after) == codes(before)
            assert [each.range.start.line for each in after] == [each.range.start.line + 1 for each in before]
            assert one.shown == []

    asyncio.run(edit())


def test_programs_that_are_no_kernel_code_are_opened_in_peace(tmp_path: Path, cache: Path) -> None:
    async def edit() -> None:
        path = tmp_path / "hello.c"
        path.write_text("int main(void) { return 0; }\n")
        async with editor(cache) as one:
            one.open(path)
            await one.until(lambda: bool(one.logged))
            assert one.logged[0].startswith("hello.c: the value of GFP_KERNEL")
            assert one.shown == []

    asyncio.run(edit())


def test_without_pygls_it_says_what_is_needed() -> None:
    program = "import sys; sys.modules['pygls'] = None; from gfpcheck.cli import main; sys.exit(main(['lsp']))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "gfpcheck: the language server needs pygls: pip install 'gfpcheck[lsp]'\n"


def test_an_editor_that_goes_away_takes_the_server_along(tree: Path, cache: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gfpcheck", "lsp"], cwd=ROOT, input=b"", capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"Traceback" not in done.stderr
