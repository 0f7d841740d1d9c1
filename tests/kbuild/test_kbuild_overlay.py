"""The overlay of generated headers: contents, cache, concurrency."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path

import pytest

from gfpcheck.kbuild.arch import find_arch
from gfpcheck.kbuild.overlay import overlay
from gfpcheck.kbuild.tree import find_tree
from gfpcheck.kbuild.types import PlanError

from .kbuild_tree import listing, make_tree


def build(root: Path, cache: Path, *folders: str, arch: str = "x86", config: Path | None = None) -> Path:
    tree = find_tree(root)
    assert tree is not None
    return overlay(tree, find_arch(arch), folders, config, cache)


def options(folder: Path) -> dict[str, str]:
    lines = (folder / "include/generated/autoconf.h").read_text().splitlines()
    return {words[1]: words[2] for line in lines if (words := line.split(" ", 2))}


def test_options_of_the_folder_are_on_with_what_they_need(tree: Path, cache: Path) -> None:
    found = options(build(tree, cache, "fs/demo"))
    assert found["CONFIG_DEMO_FS"] == found["CONFIG_DEMO_QUOTA"] == found["CONFIG_FS_DAX"] == "1"
    assert found["CONFIG_FS_HELPER"] == found["CONFIG_SMP"] == found["CONFIG_COMPACTION"] == "1"
    assert found["CONFIG_DEMO_NAME"] == '"a \\"b\\""'
    assert found["CONFIG_NR_CPUS"] == "64"
    assert "CONFIG_DEMO_DEBUG" not in found
    assert "CONFIG_DEMO_FS" not in options(build(tree, cache, "mm"))


def test_namespaces_are_on_for_experts_too(tree: Path, cache: Path) -> None:
    """As init/Kconfig has them: without them net_eq() and the like are constants, and what stands behind is dead."""
    with (tree / "Kconfig").open("a") as file:
        file.write('config EXPERT\n\tbool "Experts"\n')
        file.write('menuconfig NAMESPACES\n\tbool "Namespaces" if EXPERT\n\tdefault !EXPERT\nif NAMESPACES\n')
        file.write('config NET_NS\n\tbool "Network"\n\tdefault y\nconfig USER_NS\n\tbool "User"\nendif\n')
    found = options(build(tree, cache, "fs/demo"))
    assert [name for name in ("EXPERT", "NAMESPACES", "NET_NS", "USER_NS") if f"CONFIG_{name}" not in found] == []


def test_a_given_configuration_is_taken_as_it_is(tree: Path, cache: Path, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text('CONFIG_DEMO_FS=m\nCONFIG_HZ=300\nCONFIG_S="x"\n# CONFIG_SMP is not set\n')
    assert options(build(tree, cache, config=config)) == {
        "CONFIG_DEMO_FS_MODULE": "1",
        "CONFIG_HZ": "300",
        "CONFIG_S": '"x"',
    }
    completed = options(build(tree, cache, "fs/demo", config=config))
    assert completed["CONFIG_DEMO_QUOTA"] == "1"


def test_asm_wrappers_are_for_what_the_architecture_lacks(tree: Path, cache: Path) -> None:
    asm = build(tree, cache) / "arch/x86/include/generated"
    assert (asm / "asm/early.h").read_text() == "#include <asm-generic/early.h>\n"
    assert sorted(p.name for p in (asm / "asm").iterdir()) == ["bug.h", "early.h", "syscalls_64.h"]
    assert (asm / "uapi/asm/types.h").read_text() == "#include <asm-generic/types.h>\n"
    assert "#define __NR_open 2" in (asm / "uapi/asm/unistd_64.h").read_text()


def test_nothing_is_written_into_the_tree(tree: Path, cache: Path) -> None:
    before = listing(tree)
    build(tree, cache, "fs/demo")
    assert listing(tree) == before


def test_equal_contents_share_a_folder_and_are_not_written_again(tree: Path, cache: Path, tmp_path: Path) -> None:
    first = build(tree, cache, "fs/demo")
    stamp = (first / "include/generated/autoconf.h").stat().st_mtime_ns
    assert build(tree, cache, "fs/demo") == first
    assert build(make_tree(tmp_path / "copy"), cache, "fs/demo") == first
    assert (first / "include/generated/autoconf.h").stat().st_mtime_ns == stamp


def test_a_changed_tree_gets_a_new_overlay(tree: Path, cache: Path) -> None:
    first = build(tree, cache, "fs/demo")
    kconfig = tree / "fs/demo/Kconfig"
    kconfig.write_text(kconfig.read_text() + 'config DEMO_NEW\n\tbool "new"\n')
    second = build(tree, cache, "fs/demo")
    assert second != first
    assert options(second)["CONFIG_DEMO_NEW"] == "1"


def test_a_tree_of_links_has_the_headers_of_the_tree(
    tree: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(tree, cache, "fs/demo")
    links = tmp_path / "links"
    links.mkdir()
    for entry in tree.iterdir():
        (links / entry.name).symlink_to(entry)
    monkeypatch.setattr("gfpcheck.kbuild.overlay.configure", None)  # it would take long
    assert build(links, cache, "fs/demo") == first
    monkeypatch.undo()
    (links / "fs").unlink()
    shutil.copytree(tree / "fs", links / "fs")
    kconfig = links / "fs/demo/Kconfig"
    kconfig.write_text(kconfig.read_text() + 'config DEMO_NEW\n\tbool "new"\n')
    assert options(build(links, cache, "fs/demo"))["CONFIG_DEMO_NEW"] == "1"
    assert build(tree, cache, "fs/demo") == first


def test_a_damaged_index_is_replaced(tree: Path, cache: Path) -> None:
    first = build(tree, cache, "fs/demo")
    (index,) = (cache / "overlay").glob("*.json")
    for damage in (b"", b"[]", b'{"contents": 1, "inputs": {}}', b"\xff"):
        index.write_bytes(damage)
        assert build(tree, cache, "fs/demo") == first


def test_architectures_differ(tree: Path, cache: Path) -> None:
    folder = build(tree, cache, arch="arm64")
    assert options(folder)["CONFIG_HZ"] == "100"
    assert not (folder / "arch/x86").exists()


def _worker(root: str, cache: str, results: multiprocessing.queues.SimpleQueue[str]) -> None:
    results.put(str(build(Path(root), Path(cache), "fs/demo")))


def test_processes_at_once_end_with_one_whole_overlay(tree: Path, cache: Path) -> None:
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    workers = [context.Process(target=_worker, args=(str(tree), str(cache), results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    folders = {results.get() for _ in workers}
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert len(folders) == 1
    assert not list((cache / "overlay").glob(".new-*"))


def test_a_cache_that_cannot_be_written(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlanError, match=r"cannot write generated headers .*file/cache: Not a directory"):
        build(tree, tmp_path / "file/cache")


def test_an_overlay_can_be_used_from_a_cache_that_is_read_only(
    tree: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(tree, cache)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert build(tree, cache) == first
    with pytest.raises(PlanError, match="Permission denied"):
        build(tree, cache, "fs/demo")
