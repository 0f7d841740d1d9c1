"""make_plan on tiny trees: every kind of tree, and every kind of wrong path."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gfpcheck.kbuild import Plan, PlanError, make_plan, open_workspace, survey
from gfpcheck.kbuild.flags import IDENTITY

from .kbuild_tree import listing, make_tree

SETUP = "Linux 6.12.90-rc1, x86, unconfigured tree: generated headers supplied by gfpcheck"


def rels(plan: Plan) -> list[str]:
    return [unit.rel for unit in plan.units]


def configure(tree: Path, text: str, build: Path | None = None) -> Path:
    """Leave behind what `make prepare` does."""
    build = build or tree
    (build / "include/generated").mkdir(parents=True)
    (build / ".config").write_text(text)
    lines = [line.replace("=", " ").replace("CONFIG", "#define CONFIG") for line in text.splitlines()]
    (build / "include/generated/autoconf.h").write_text("\n".join(line.replace(" y", " 1") for line in lines))
    return build


DEMO = "CONFIG_X86_64=y\nCONFIG_SMP=y\nCONFIG_DEMO_FS=y\n"


def test_a_folder_of_an_unconfigured_tree(tree: Path, cache: Path) -> None:
    before = listing(tree)
    plan = make_plan([tree / "fs/demo"], cache_dir=cache)
    assert rels(plan) == ["fs/demo/inode.c", "fs/demo/lib/tree.c", "fs/demo/quota.c"]
    assert plan.skipped == (
        ("fs/demo/debug.c", "CONFIG_DEMO_DEBUG is off"),
        ("fs/demo/orphan.c", "no Makefile names orphan.o"),
        ("fs/demo/part.c", "part of inode.c, which includes it"),
    )
    assert (plan.root, plan.version, plan.arch, plan.source) == (str(tree), (6, 12, 90), "x86", "unconfigured tree")
    assert plan.parts == (("fs/demo/lib", "fs/demo"),)
    assert plan.setup == SETUP
    assert plan.is_kernel
    assert listing(tree) == before


def test_arguments_are_equal_over_a_folder_and_hold_its_own_flags(tree: Path, cache: Path) -> None:
    plan = make_plan([tree / "fs/demo"], cache_dir=cache)
    (args,) = {unit.args for unit in plan.units}
    tail = args[args.index(IDENTITY[-1]) + 1 :]
    assert tail == (f"-I{tree}/fs/demo", f"-I{tree}/fs/demo/lib", "-DDEMO", f"-I{tree}/fs/demo/trace")
    assert {"-std=gnu11", "-funsigned-char", "--target=x86_64-linux-gnu", "-nostdinc"} <= set(args)
    forced = [Path(args[i + 1]).name for i, word in enumerate(args) if word == "-include"]
    assert forced == ["compiler-version.h", "kconfig.h", "configuration.h", "compiler_types.h", "annotations.h"]


def test_a_file_asked_for_by_name_is_analysed_even_if_it_is_not_built(tree: Path, cache: Path) -> None:
    plan = make_plan([tree / "fs/demo/orphan.c", tree / "fs/demo/debug.c"], cache_dir=cache)
    assert rels(plan) == ["fs/demo/debug.c", "fs/demo/orphan.c"]


def test_a_file_asked_for_by_name_that_is_no_kernel_code_is_lost(tree: Path, cache: Path) -> None:
    plan = make_plan([tree / "mm/slab.c", tree / "tools/perf/main.c"], cache_dir=cache)
    assert rels(plan) == ["mm/slab.c"]
    assert plan.skipped == (("tools/perf/main.c", "a user-space program"),)
    assert plan.lost == ("tools/perf/main.c",)


def test_several_paths_are_merged(tree: Path, cache: Path) -> None:
    plan = make_plan([tree / "mm", tree / "fs/super.c", tree / "mm/slab.c"], cache_dir=cache)
    assert rels(plan) == ["fs/super.c", "mm/memory.c", "mm/slab.c"]
    assert plan.skipped == (("mm/nommu.c", "not built in this configuration"),)


def test_the_whole_tree(tree: Path, cache: Path) -> None:
    plan = make_plan([tree], cache_dir=cache)
    assert rels(plan) == [
        "arch/x86/kernel/process_64.c",
        "arch/x86/kernel/setup.c",
        "arch/x86/lib/delay.c",
        "fs/demo/inode.c",
        "fs/demo/lib/tree.c",
        "fs/demo/quota.c",
        "fs/super.c",
        "mm/memory.c",
        "mm/slab.c",
    ]
    reasons = dict(plan.skipped)
    assert reasons["arch/arm64/kernel/setup.c"] == "for arm64, not x86"
    assert reasons["tools/perf/main.c"] == "a user-space program"
    assert reasons["Documentation/example.c"] == "documentation"
    assert reasons["arch/x86/boot/main.c"]
    assert reasons["arch/x86/kernel/process_32.c"] == "no Makefile names process_32.o"


def test_a_makefile_can_list_its_neighbours_files(tmp_path: Path, cache: Path) -> None:
    tree = make_tree(
        tmp_path / "linux",
        {
            "fs/Makefile": "obj-y += gpu/main/\n",
            "fs/gpu/main/Makefile": (
                "SIDE = $(src)/../side\nccflags-y := -I$(SIDE)/inc\ninclude $(SIDE)/Makefile\n"
                "obj-y += gpu.o\ngpu-y := core.o $(FILES)\n"
            ),
            "fs/gpu/side/Makefile": "FILES := ../side/deep/used.o\n",
            "fs/gpu/main/core.c": "",
            "fs/gpu/side/deep/used.c": "",
            "fs/gpu/side/deep/unused.c": "",
        },
    )
    plan = make_plan([tree / "fs/gpu"], cache_dir=cache)
    assert rels(plan) == ["fs/gpu/main/core.c", "fs/gpu/side/deep/used.c"]
    assert {f"-I{tree}/fs/gpu/side/inc" in unit.args for unit in plan.units} == {True}
    assert plan.skipped == (("fs/gpu/side/deep/unused.c", "no Makefile names unused.o"),)


def test_a_plan_is_the_same_twice(tree: Path, cache: Path) -> None:
    assert make_plan([tree], cache_dir=cache) == make_plan([tree], cache_dir=cache)


def test_another_architecture(tree: Path, cache: Path) -> None:
    plan = make_plan([tree / "fs/demo"], arch="arm64", cache_dir=cache)
    assert plan.arch == "arm64"
    assert "--target=aarch64-linux-gnu" in plan.units[0].args
    with pytest.raises(PlanError, match=r"unknown architecture 'vax'; .* has x86, i386, arm64"):
        make_plan([tree / "fs"], arch="vax", cache_dir=cache)
    with pytest.raises(PlanError, match="unknown architecture 'riscv'"):
        make_plan([tree / "fs"], arch="riscv", cache_dir=cache)


def test_further_files_of_the_tree_can_be_had(tree: Path, cache: Path) -> None:
    workspace = open_workspace([tree / "fs/demo"], cache_dir=cache)
    unit = workspace.unit("mm/slab.c")
    assert unit is not None
    assert (unit.rel, unit.path) == ("mm/slab.c", str(tree / "mm/slab.c"))
    assert workspace.unit("fs/demo/inode.c") in workspace.plan.units
    assert workspace.unit("tools/perf/main.c") is None
    assert workspace.unit("missing.c") is None
    assert workspace.unit("fs/demo/demo.h") is None


def test_a_prepared_tree_in_place(tree: Path, cache: Path) -> None:
    configure(tree, DEMO)
    plan = make_plan([tree / "fs/demo"], cache_dir=cache)
    assert plan.source == "prepared tree"
    assert rels(plan) == ["fs/demo/inode.c", "fs/demo/lib/tree.c"]
    assert dict(plan.skipped)["fs/demo/quota.c"] == "CONFIG_DEMO_QUOTA is off"
    assert not [arg for arg in plan.units[0].args if str(cache) in arg]


def test_a_prepared_build_directory(tree: Path, cache: Path, tmp_path: Path) -> None:
    build = configure(tree, DEMO, tmp_path / "o")
    plan = make_plan([tree / "fs/demo"], build_dir=build, cache_dir=cache)
    assert plan.source == "prepared tree"
    assert str(build) in plan.setup
    args = plan.units[0].args
    assert args.index(f"-I{build}/include") < args.index(f"-I{tree}/include")
    assert f"-I{build}/arch/x86/include/generated" in args


def test_modules_are_read_as_modules(tree: Path, cache: Path) -> None:
    configure(tree, DEMO.replace("DEMO_FS=y", "DEMO_FS=m"))
    assert "-DMODULE" in make_plan([tree / "fs/demo"], cache_dir=cache).units[0].args
    assert "-DMODULE" not in make_plan([tree / "fs/super.c"], cache_dir=cache).units[0].args


def test_a_built_tree_gives_its_own_commands(tree: Path, cache: Path) -> None:
    configure(tree, DEMO)
    command = (
        "savedcmd_fs/demo/inode.o := gcc -Wp,-MMD,fs/demo/.inode.o.d -nostdinc -I./include "
        "-include ./include/linux/kconfig.h "
        "-include ./include/linux/compiler_types.h -DREAL -fconserve-stack "
        "-DKBUILD_BASENAME='\"inode\"' -c -o x.o x.c ; objtool\n"
    )
    (tree / "fs/demo/.inode.o.cmd").write_text(command)
    plan = make_plan([tree / "fs/demo"], cache_dir=cache)
    assert plan.source == "built tree"
    assert plan.setup == f"Linux 6.12.90-rc1, x86, built tree: headers of {tree}, flags from its .cmd files"
    args = plan.units[0].args
    assert "-DREAL" in args
    assert f"-I{tree}/include" in args
    assert "-fconserve-stack" not in args
    forced = [Path(args[i + 1]).name for i, word in enumerate(args) if word == "-include"]
    assert forced == ["kconfig.h", "configuration.h", "compiler_types.h", "annotations.h"]


def test_a_configured_tree_without_headers(tree: Path, cache: Path) -> None:
    (tree / ".config").write_text(DEMO)
    plan = make_plan([tree / "fs/demo"], cache_dir=cache)
    assert plan.source == "configured tree"
    assert rels(plan) == ["fs/demo/inode.c", "fs/demo/lib/tree.c"]
    assert plan.setup.endswith(f"options of {tree}/.config, generated headers supplied by gfpcheck")


def test_a_configuration_that_leaves_out_what_is_asked_for_is_completed(tree: Path, cache: Path) -> None:
    configure(tree, "CONFIG_X86_64=y\nCONFIG_SMP=y\n# CONFIG_DEMO_FS is not set\n")
    plan = make_plan([tree / "fs/demo"], cache_dir=cache)
    assert rels(plan) == ["fs/demo/inode.c", "fs/demo/lib/tree.c", "fs/demo/quota.c"]
    assert plan.source == "configured tree"
    assert "and those of fs/demo" in plan.setup


def test_a_configuration_for_another_architecture_is_not_used(tree: Path, cache: Path) -> None:
    configure(tree, "CONFIG_ARM64=y\nCONFIG_DEMO_FS=y\n")
    assert make_plan([tree / "fs/demo"], cache_dir=cache).arch == "arm64"
    assert make_plan([tree / "fs/demo"], arch="x86", cache_dir=cache).source == "unconfigured tree"
    with pytest.raises(PlanError, match="is configured for arm64, not for x86"):
        make_plan([tree / "fs/demo"], arch="x86", build_dir=tree, cache_dir=cache)


def test_build_directories_that_are_none(tree: Path, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no such folder"):
        make_plan([tree], build_dir=tmp_path / "none", cache_dir=cache)
    with pytest.raises(PlanError, match="not a kernel build directory"):
        make_plan([tree], build_dir=tmp_path, cache_dir=cache)
    (tmp_path / ".config").write_text("CONFIG_VAX=y\n")
    with pytest.raises(PlanError, match="an architecture that gfpcheck does not know"):
        make_plan([tree], build_dir=tmp_path, cache_dir=cache)


def database(path: Path, folder: Path, *files: str, flags: str = "") -> Path:
    """A compile_commands.json for kernel files below `folder`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = f"gcc -nostdinc -I./arch/x86/include -include ./include/linux/kconfig.h {flags} -c"
    path.write_text(
        json.dumps([{"directory": str(folder), "file": name, "command": f"{command} {name}"} for name in files])
    )
    return path


def test_a_database_in_the_tree(tree: Path, cache: Path) -> None:
    database(
        tree / "compile_commands.json", tree, "fs/demo/inode.c", "scripts/x.c", flags="-DDB -fno-allow-store-data-races"
    )
    plan = make_plan([tree / "fs/demo"], cache_dir=cache)
    assert (plan.source, plan.arch, rels(plan)) == ("compile_commands.json", "x86", ["fs/demo/inode.c"])
    assert ("fs/demo/quota.c", "not in compile_commands.json") in plan.skipped
    assert plan.lost == ()
    named = make_plan([tree / "fs/demo/inode.c", tree / "fs/demo/quota.c"], cache_dir=cache)
    assert named.skipped == (("fs/demo/quota.c", "not in compile_commands.json"),)
    assert named.lost == ("fs/demo/quota.c",)
    assert "-DDB" in plan.units[0].args
    assert "-fno-allow-store-data-races" not in plan.units[0].args
    assert plan.setup == f"Linux 6.12.90-rc1, x86, compile_commands.json: flags from {tree}/compile_commands.json"
    assert rels(make_plan([tree / "mm"], cache_dir=cache)) == ["mm/memory.c", "mm/slab.c"]


def test_a_named_database(tree: Path, cache: Path, tmp_path: Path) -> None:
    path = database(tmp_path / "db/commands.json", tree, "fs/demo/inode.c")
    assert make_plan([tree / "fs"], compile_commands=path, cache_dir=cache).source == "compile_commands.json"
    with pytest.raises(PlanError, match="has no C file of"):
        make_plan([tree / "mm"], compile_commands=path, cache_dir=cache)
    with pytest.raises(PlanError, match="was made for x86, not for arm64"):
        make_plan([tree / "fs"], arch="arm64", compile_commands=path, cache_dir=cache)
    with pytest.raises(PlanError, match="cannot read"):
        make_plan([tree / "fs"], compile_commands=tmp_path / "none.json", cache_dir=cache)
    database(tmp_path / "o/compile_commands.json", tree, "fs/demo/inode.c")
    assert rels(make_plan([tree / "fs"], compile_commands=tmp_path / "o", cache_dir=cache)) == ["fs/demo/inode.c"]


def module(folder: Path) -> Path:
    """An out-of-tree module."""
    (folder / "src").mkdir(parents=True)
    (folder / "Makefile").write_text(
        "ifneq ($(KERNELRELEASE),)\nobj-m := demo.o\ndemo-y := main.o src/util.o\nccflags-y += -I$(src)/include "
        "-I$(PWD)/more\n"
        "else\nall:\n\tmake -C /lib/modules M=$(PWD)\nendif\n"
    )
    for name in ("main.c", "src/util.c", "spare.c"):
        (folder / name).write_text("int x;\n")
    return folder


def test_a_module_needs_to_know_its_kernel(
    tree: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gfpcheck.kbuild.modules._INSTALLED", tmp_path / "none")
    folder = module(tmp_path / "my module")
    with pytest.raises(PlanError, match="is a kernel module; say which kernel with --tree or --build-dir"):
        make_plan([folder], cache_dir=cache)
    for release in ("5.1", "6.2"):
        (tmp_path / "none" / release).mkdir(parents=True)
        (tmp_path / "none" / release / "build").symlink_to(tree)
    with pytest.raises(PlanError, match=f"; there are those for --tree {tmp_path}/none/6.2/build\\)$"):
        make_plan([folder], cache_dir=cache)
    plan = make_plan([folder], tree=tree, cache_dir=cache)
    assert (plan.source, plan.root, rels(plan)) == ("out-of-tree module", str(folder), ["main.c", "src/util.c"])
    assert plan.skipped == (("spare.c", "no Makefile names spare.o"),)
    assert plan.version == (6, 12, 90)
    assert {"-DMODULE", f"-I{folder}/include", f"-I{folder}/more", f"-I{tree}/include"} <= set(plan.units[0].args)
    below = make_plan([folder / "src"], tree=tree, cache_dir=cache)
    assert (below.root, rels(below)) == (str(folder), ["src/util.c"])


def test_a_makefile_may_ask_whether_it_is_a_modules(tree: Path, cache: Path, tmp_path: Path) -> None:
    text = "ifneq ($(KBUILD_EXTMOD),)\nccflags-y += -I$(KBUILD_EXTMOD)/own\nelse\nccflags-y += -DINSIDE\nendif\n"
    folder = module(tmp_path / "module")
    for makefile in (folder / "Makefile", tree / "fs/demo/Makefile"):
        makefile.write_text(makefile.read_text() + text)
    args = make_plan([folder], tree=tree, cache_dir=cache).units[0].args
    assert (f"-I{folder}/own" in args, "-DINSIDE" in args) == (True, False)
    assert "-DINSIDE" in make_plan([tree / "fs/demo"], cache_dir=cache).units[0].args


def test_a_module_against_a_folder_of_headers(tree: Path, cache: Path, tmp_path: Path) -> None:
    headers = configure(tree, DEMO, tmp_path / "headers")
    (headers / "Makefile").write_text(f"include {tree}/Makefile\n")
    folder = module(tmp_path / "module")
    for plan in (
        make_plan([folder], build_dir=headers, cache_dir=cache),
        make_plan([folder], tree=headers, cache_dir=cache),
    ):
        assert plan.setup.startswith(f"Linux 6.12.90-rc1, x86, out-of-tree module: kernel {tree}, headers of {headers}")
        assert f"-I{headers}/include" in plan.units[0].args


@pytest.mark.parametrize("absolute", [True, False])
def test_the_commands_of_a_module_run_where_make_ran(tree: Path, cache: Path, tmp_path: Path, absolute: bool) -> None:
    headers = configure(tree, DEMO, tmp_path / "headers")
    (headers / "Makefile").write_text(f"include {tree}/Makefile\n")
    folder = module(tmp_path / "module")
    target = f"{folder}/main.o" if absolute else "main.o"
    (folder / ".main.o.cmd").write_text(f"savedcmd_{target} := gcc -DREAL -I./include -c -o {target} main.c\n")
    plan = make_plan([folder], tree=headers, cache_dir=cache)
    args = next(unit.args for unit in plan.units if unit.rel == "main.c")
    assert {"-DREAL", f"-I{headers if absolute else folder}/include"} <= set(args)
    assert plan.source == "out-of-tree module"
    assert plan.setup.endswith(f"headers of {headers}, flags from its .cmd files")


def test_what_a_module_calls_is_read_with_the_commands_of_its_kernel(tree: Path, cache: Path, tmp_path: Path) -> None:
    configure(tree, DEMO)
    (tree / "fs/.super.o.cmd").write_text("savedcmd_fs/super.o := gcc -DREAL -I./include -c -o fs/super.o fs/super.c\n")
    callee = open_workspace([module(tmp_path / "module")], tree=tree, cache_dir=cache).callee("fs/super.c")
    assert callee is not None
    assert {"-DREAL", f"-I{tree}/include"} <= set(callee.args)


@pytest.mark.parametrize("place", ["", "driver", "main.c"])
def test_a_module_is_for_the_running_kernel_if_nobody_says(
    tree: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    headers = configure(tree, DEMO, tmp_path / "headers")
    (headers / "Makefile").write_text(f"include {tree}/Makefile\n")
    modules = tmp_path / "modules"
    (modules / os.uname().release).mkdir(parents=True)
    (modules / os.uname().release / "build").symlink_to(headers)
    monkeypatch.setattr("gfpcheck.kbuild.modules._INSTALLED", modules)
    module(tmp_path / "package" / place if place == "driver" else tmp_path / "package")
    path = tmp_path / "package" / (place if place == "main.c" else "")
    plan = make_plan([path], cache_dir=cache)
    assert plan.setup.startswith(f"Linux 6.12.90-rc1, x86, out-of-tree module: kernel {tree}, headers of {headers}")
    assert "main.c" in {Path(unit.rel).name for unit in plan.units}


def test_plain_c(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "src").mkdir()
    (folder / "src/a.c").write_text("int a;\n")
    plan = make_plan([folder / "src"], cache_dir=cache)
    assert (plan.source, plan.version, plan.arch, plan.root) == ("plain C", (), "", str(folder))
    assert not plan.is_kernel
    assert rels(plan) == ["src/a.c"]
    assert plan.setup == "plain C: not in a kernel tree, no compile_commands.json"
    assert not cache.exists()


def test_plain_c_with_a_database(tmp_path: Path, cache: Path) -> None:
    for name in ("a.c", "b.c"):
        (tmp_path / name).write_text("int a;\n")
    path = tmp_path / "compile_commands.json"
    path.write_text(json.dumps([{"directory": str(tmp_path), "file": "a.c", "command": "cc -DA -Iinc -c a.c"}]))
    plan = make_plan([tmp_path], cache_dir=cache)
    assert rels(plan) == ["a.c"]
    assert {"-DA", f"-I{tmp_path}/inc"} <= set(plan.units[0].args)
    assert plan.setup == f"plain C: flags from {path}"


def test_wrong_paths(tree: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe.c")
    for path, message in (
        (tmp_path / "none", "no such file or directory"),
        (tree / "Makefile/x", "no such file or directory"),
        (tree / "fs/demo/demo.h", "a header is analysed with the C files that include it"),
        (tree / "fs/demo/Makefile", "not a C file"),
        (tmp_path / "empty", "no C files in"),
        (tmp_path / "loop", "(?i)symbolic link|cannot be resolved"),
        (tmp_path / "pipe.c", "not a regular file"),
        (tmp_path / "a\0b", "cannot be resolved"),
        (tmp_path, "holds kernel trees; name one of them"),
        (tree / "tools", r"nothing to analyse .*the only C file is left out \(a user-space program\)"),
        (tree / "arch/arm64", r"left out \(for arm64, not x86\)"),
    ):
        with pytest.raises(PlanError, match=message):
            make_plan([path], cache_dir=cache)
    with pytest.raises(PlanError, match="no path given"):
        make_plan([], cache_dir=cache)


def test_one_tree_at_a_time(tree: Path, cache: Path, tmp_path: Path) -> None:
    other = make_tree(tmp_path / "other")
    (tmp_path / "alone.c").write_text("int x;\n")
    with pytest.raises(PlanError, match="several kernel trees"):
        make_plan([tree / "fs", other / "fs"], cache_dir=cache)
    with pytest.raises(PlanError, match="some outside"):
        make_plan([tree / "fs", tmp_path / "alone.c"], cache_dir=cache)
    with pytest.raises(PlanError, match=r"lies in .*linux, not in .*other"):
        make_plan([tree / "fs"], tree=other, cache_dir=cache)
    with pytest.raises(PlanError, match="not a kernel source tree"):
        make_plan([tmp_path / "alone.c"], tree=tmp_path / "linux/fs", cache_dir=cache)


def test_names_that_are_hard(tree: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree / "fs/hard"
    folder.mkdir()
    (folder / "with blank.c").write_text("int x;\n")
    (folder / "gone.c").symlink_to("nowhere.c")
    (folder / "again.c").symlink_to("with blank.c")
    (folder / "round").symlink_to(folder)
    (folder / "outside.c").symlink_to(tree / "mm/slab.c")
    bad = os.fsencode(folder) + b"/\xff.c"
    with open(bad, "w") as stream:  # noqa: PTH123 (a name in bytes)
        stream.write("int x;\n")
    (folder / "secret.c").write_text("int x;\n")
    allowed = os.access
    monkeypatch.setattr("os.access", lambda path, mode: not str(path).endswith("secret.c") and allowed(path, mode))
    plan = make_plan([folder], cache_dir=cache)
    assert rels(plan) == ["fs/hard/outside.c", "fs/hard/with blank.c"]
    assert dict(plan.skipped) == {
        "fs/hard/\ufffd.c": "the name is not valid UTF-8, which libclang needs",
        "fs/hard/gone.c": "a link to nothing",
        "fs/hard/secret.c": "cannot be read",
    }
    assert plan.lost == tuple(path for path, _ in plan.skipped)
    unreadable = dict(survey(folder, cache_dir=cache)[0])["C files that cannot be analysed"]
    assert unreadable.startswith("3 (fs/hard/gone.c: a link to nothing; ")
    with pytest.raises(PlanError, match="cannot be read"):
        make_plan([folder / "secret.c"], cache_dir=cache)


def test_a_tree_with_a_blank_in_its_name(tmp_path: Path, cache: Path) -> None:
    tree = make_tree(tmp_path / "my linux")
    assert f"-I{tree}/fs/demo/lib" in make_plan([tree / "fs/demo"], cache_dir=cache).units[0].args


def test_paths_relative_and_through_links(tree: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree.parent / "link").symlink_to(tree)
    direct = make_plan([tree / "fs/demo"], cache_dir=cache)
    assert make_plan([tree.parent / "link/fs/demo"], cache_dir=cache) == direct
    monkeypatch.chdir(tree / "fs")
    assert make_plan([Path("demo")], cache_dir=cache) == direct


def test_a_kconfig_that_nests_without_end_is_refused(tree: Path, cache: Path) -> None:
    (tree / "fs/demo/Kconfig").write_text("config DEMO_FS\n\tdef_bool " + "(" * 30_000 + "y\n")
    with pytest.raises(PlanError, match="nest too deeply"):
        make_plan([tree / "fs/demo"], cache_dir=cache)


def test_survey_of_a_tree(tree: Path, cache: Path) -> None:
    found, plan = survey(tree / "fs/demo", cache_dir=cache)
    assert plan == make_plan([tree / "fs/demo"], cache_dir=cache)
    assert found[-1][0] == "next"
    rows = dict(found)
    assert rows["tree"] == str(tree)
    assert rows["version"] == "6.12.90-rc1"
    assert rows["architecture"] == "x86"
    assert rows["flags from"] == SETUP
    assert rows[".config"] == rows["include/generated"] == rows["compile_commands.json"] == "no"
    assert rows["C files to analyse"] == "3"
    assert rows["C files left out"].startswith("3 (")
    assert "make defconfig prepare" in rows["next"]
    configure(tree, DEMO)
    assert dict(survey(tree / "fs/demo", cache_dir=cache)[0])[".config"] == f"yes ({tree}/.config)"


def test_survey_of_what_cannot_be_analysed(tree: Path, cache: Path, tmp_path: Path) -> None:
    found, plan = survey(tmp_path, cache_dir=cache)
    assert plan is None
    rows = dict(found)
    assert rows["tree"].startswith("none")
    assert "holds kernel trees" in rows["problem"]
    with pytest.raises(PlanError, match="no such file"):
        survey(tmp_path / "none", cache_dir=cache)
