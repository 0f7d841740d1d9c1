"""Model files: what they may say, and what is said when they are wrong."""

import re
from pathlib import Path

import pytest

from gfpcheck.models import Allocator, LockOp, ModelError, Models, Scope, base_name, load


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def add(folder: Path, text: str, version: tuple[int, ...] = (6, 12)) -> Models:
    return load(version, [write(folder, text)])


def error(folder: Path, text: str) -> str:
    with pytest.raises(ModelError) as caught:
        add(folder, text)
    return str(caught.value)


def test_entry_is_known_by_all_its_names() -> None:
    models = load((6, 12))
    assert models.locks["_raw_spin_lock_irqsave"] == models.locks["spin_lock_irqsave"]
    (op,) = models.locks["spin_lock_irqsave"]
    assert (op.does, op.kind, op.disables) == ("acquire", "spin", ("irq",))


def test_function_with_two_operations() -> None:
    ops = load((6, 12)).locks["lock_sock_fast"]
    assert [(op.kind, op.when, op.disables) for op in ops] == [("spin", "zero", ("bh",)), ("sleeping", "nonzero", ())]


def test_down_trylock_is_inverted() -> None:
    models = load((6, 12))
    assert models.locks["down_trylock"][0].when == "zero"
    assert {models.locks[name][0].when for name in ("mutex_trylock", "spin_trylock", "down_read_trylock")} == {
        "nonzero"
    }


def test_versions_choose_between_entries() -> None:
    old, new = load((6, 1, 170)), load((6, 12))
    assert [op.when for op in old.locks["lock_rename"]] == ["always"] * 3
    assert [op.when for op in new.locks["lock_rename"]] == ["not_error"] * 3
    assert old.allocators["kvrealloc"].size_arg == 2
    assert new.allocators["kvrealloc"].size_arg == 1
    assert "__pte_offset_map_lock" not in old.locks
    assert "release_folio" in {root.member for root in new.reclaim_roots}
    assert "releasepage" not in {root.member for root in old.reclaim_roots}


def test_without_a_version_the_newest_entries_hold() -> None:
    models = load(())
    assert models.locks["lock_rename"][0].when == "not_error"
    assert models.allocators["kvrealloc"] == load((7, 0)).allocators["kvrealloc"]
    assert "mmap_write_trylock" in models.locks, "an entry that ends, and that nothing replaces, holds"


@pytest.mark.parametrize(
    ("function", "base"),
    [("kmalloc_noprof", "kmalloc"), ("kmalloc", "kmalloc"), ("_noprof", ""), ("noprof_x", "noprof_x")],
)
def test_base_name(function: str, base: str) -> None:
    assert base_name(function) == base


def test_knows_functions_by_their_base_name() -> None:
    models = load((6, 12))
    assert models.knows("kmalloc_noprof")
    assert models.knows("__alloc_pages_noprof")
    assert models.knows("_raw_spin_lock")
    assert models.knows("memalloc_nofs_save")
    assert not models.knows("xfs_ilock")
    assert {"kmalloc", "_raw_spin_lock", "memalloc_nofs_save"} <= models.names


def test_own_entries_are_added(tmp_path: Path) -> None:
    models = add(
        tmp_path,
        """
        not_allocators = ["my_flags"]
        noreturn = ["my_panic"]
        inner = ["struct my_lock.raw"]
        [locks]
        my_lock = { does = "acquire", kind = "mutex", arg = 1, member = "struct my.lock", spelled = ["my_lock_nested"] }
        my_unlock = { does = "release", kind = "mutex", arg = 1, member = "struct my.lock" }
        [scopes]
        my_mark = { does = "open", kind = "noio" }
        [allocators]
        my_alloc = { flags = "GFP_NOFS | __GFP_NOFAIL", fails = "never" }
        [reclaim]
        "struct my_ops.shrink" = { gate = "__GFP_IO", owns = 0 }
        [callbacks]
        my_timer = { arg = 2, context = "bh" }
        my_chain_register = { arg = 1, context = "rcu", member = "struct my_block.call" }
        [queries]
        my_depth = { irq = 0x10000, preempt = 1 }
        [members]
        "struct my_ops.tick" = { context = "irq" }
        "struct my_ops.queue" = { context = "rcu", unless = "struct my_set.flags", bit = 4, flag = "MY_F_BLOCKING" }
        [lock_types]
        "struct my_lock" = "mutex"
        [gfp]
        flags = ["__GFP_MINE"]
        constants = ["MY_PAGE"]
        [task_flags]
        "struct my_task.flags" = { MY_NOFS = "nofs" }
        """,
    )
    assert models.locks["my_lock_nested"] == models.locks["my_lock"]
    assert models.locks["my_lock"][0].member == "struct my.lock"
    assert models.scopes["my_mark"] == Scope("open", "noio")
    assert models.allocators["my_alloc"] == Allocator(flags="GFP_NOFS | __GFP_NOFAIL", fails="never")
    root = models.reclaim_roots[-1]
    assert (root.record, root.member, root.gate, root.owns) == ("struct my_ops", "shrink", "__GFP_IO", 0)
    assert models.callbacks["my_timer"].arg == 2
    assert models.members["struct my_ops.tick"].context == "irq"
    assert models.callbacks["my_chain_register"].member == "struct my_block.call"
    assert (models.queries["my_depth"].irq, models.queries["my_depth"].bh) == (0x10000, 0)
    assert models.members["struct my_ops.queue"].bit == 4
    assert models.lock_types["struct my_lock"] == "mutex"
    assert "my_flags" in models.not_allocators
    assert "my_panic" in models.noreturn
    assert "struct my_lock.raw" in models.inner
    assert models.gfp_flags[-1] == "__GFP_MINE"
    assert {"PAGE_SIZE", "MY_PAGE", "PF_MEMALLOC_NOFS", "MY_NOFS"} <= set(models.constants)
    assert models.task_flags["struct my_task.flags"] == {"MY_NOFS": "nofs"}
    assert "mutex_lock" in models.locks


def test_own_entry_replaces_a_built_in_one_with_all_its_spellings(tmp_path: Path) -> None:
    models = add(
        tmp_path, '[locks]\nspin_lock = { does = "acquire", kind = "raw_spin", spelled = ["_raw_spin_lock"] }\n'
    )
    assert models.locks["spin_lock"][0].kind == "raw_spin"
    assert models.locks["_raw_spin_lock"][0].kind == "raw_spin"
    assert "__raw_spin_lock" not in models.locks


def test_own_entry_for_one_spelling_leaves_the_others(tmp_path: Path) -> None:
    models = add(tmp_path, '[locks]\n_raw_spin_lock = { does = "acquire", kind = "raw_spin" }\n')
    assert models.locks["_raw_spin_lock"][0].kind == "raw_spin"
    assert models.locks["spin_lock"][0].kind == "spin"


def test_own_word_on_what_allocates_wins(tmp_path: Path) -> None:
    models = add(tmp_path, 'not_allocators = ["kmemdup"]\n[allocators]\nmight_alloc = {}\n')
    assert "kmemdup" not in models.allocators
    assert "kmemdup" in models.not_allocators
    assert "might_alloc" in models.allocators
    assert "might_alloc" not in models.not_allocators


def test_via_is_found_by_the_word_typed_and_the_function_called() -> None:
    models = load((6, 12))
    (op,) = models.macros["assert_spin_locked", "queued_spin_is_locked"]
    assert (op.does, op.kind) == ("assert", "spin")
    assert ("spin_lock_irqsave", "spinlock_check") not in models.macros
    assert "queued_spin_is_locked" not in models.locks


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[locks", "not valid TOML"),
        ("[lock]\na = {}", "lock: unknown table"),
        ("locks = 1", "locks: must be a table"),
        ("[locks]\nf = 3", "f: must be an inline table"),
        ("[locks]\nf = []", "f: must be an inline table"),
        ('[locks]\nf = { does = "acquire" }', "f: Object missing required field `kind`"),
        ('[locks]\nf = { does = "acquire", kind = "spinlock" }', "f: kind = 'spinlock': one of spin, raw_spin, "),
        (
            '[locks]\nf = { does = "take", kind = "spin" }',
            "f: does = 'take': one of acquire, release, ",
        ),
        ('[locks]\nf = { does = "acquire", kind = "spin", tyr = true }', "f: unknown key 'tyr'; did you mean 'try'?"),
        ('[locks]\nf = { does = "acquire", kind = "spin", arg = "0" }', "Expected `int`"),
        ('[locks]\nf = { does = "acquire", kind = "spin", arg = 99 }', "f: arg = 99 is no argument index"),
        ('[scopes]\nf = { does = "close" }', "f: a scope has a kind, or an argument with the task's flags"),
        ('[scopes]\nf = { does = "close", kind = "nofs", mask_arg = 0 }', "f: a scope has a kind, or an argument with"),
        ('[scopes]\nf = { does = "open", mask_arg = 0 }', "f: only a function that closes scopes takes the task's"),
        ('[task_flags]\nf = { A = "nofs" }', "f: is not of the form"),
        ('[task_flags]\n"struct t.f" = { A = "none" }', "A: unknown kind 'none'; one of nofs, noio, noreclaim, pin"),
        ('[task_flags]\n"struct t.f" = { "A B" = "nofs" }', "struct t.f: 'A B' is not the name of a flag"),
        ('[task_flags]\n"struct t.f" = "nofs"', "struct t.f: must be a table"),
        ('[locks]\nf = { does = "acquire", kind = "spin", arg = -2 }', "f: arg = -2 is no argument index"),
        ('[locks]\n"a b" = { does = "acquire", kind = "spin" }', "a b: 'a b' is not the name of a C function"),
        ('[locks]\nf = { does = "acquire", kind = "spin", spelled = ["a-b"] }', "f: 'a-b' is not the name"),
        ('[locks]\nf = { does = "acquire", kind = "spin", via = ["-"] }', "f: '-' is not the name"),
        (
            '[locks]\nf = { does = "acquire", kind = "spin", member = "i_lock" }',
            "f: member 'i_lock' is not of the form",
        ),
        ('[locks]\nf = { does = "acquire", kind = "spin", arg = -1, member = "struct a.b" }', "f: has a member but no"),
        ('[locks]\nf = { does = "acquire", kind = "spin", instance = "a" }', "f: names one instance and an argument"),
        ('[locks]\nf = { does = "acquire", kind = "spin", when_arg = 1 }', "f: when_arg needs a `when`"),
        ('[locks]\nf = { does = "release", kind = "spin", try = true }', "f: only an acquire can be a try"),
        ('[locks]\nf = { does = "acquire", kind = "spin", token = 1 }', "f: only a release takes a token"),
        ('[locks]\nf = { does = "acquire", kind = "spin", since = "6.x" }', "f: '6.x' is not a kernel version"),
        (
            '[locks]\nf = { does = "acquire", kind = "spin", since = "6.5", until = "6.5" }',
            "f: bad version range: since 6.5 until 6.5",
        ),
        (
            '[locks]\nf = { does = "acquire", kind = "mutex", arg = -1, instance = "big" }',
            "f: acquires mutex (big), which nothing releases",
        ),
        (
            '[locks]\nf = { does = "acquire", kind = "mutex", member = "struct a.b" }',
            "(struct a.b), which nothing releases",
        ),
        (
            '[locks]\nf = { does = "acquire", kind = "spin", spelled = ["g"] }\n'
            'g = { does = "acquire", kind = "spin" }',
            "g: is in the entry of f and in that of g",
        ),
        (
            '[locks]\nf = { does = "acquire", kind = "spin", spelled = ["h"] }\n'
            'g = { does = "acquire", kind = "rwsem", spelled = ["h"] }',
            "h: is in the entry of g and in that of f",
        ),
        ('[scopes]\nf = { does = "open", kind = "nomem" }', "f: kind = 'nomem': one of nofs, noio, noreclaim, pin"),
        ('[allocators]\nf = { flags = "GFP_KERNAL" }', "f: unknown flag 'GFP_KERNAL'"),
        ('[allocators]\nf = { flags = "GFP_KERNEL & ~__GFP_FS" }', "f: unknown flag 'GFP_KERNEL & ~__GFP_FS'"),
        ('[allocators]\nf = { rejects = "__GFP_NEVER" }', "f: unknown flag '__GFP_NEVER'"),
        ('[allocators]\nf = { fails = "maybe" }', "f: fails = 'maybe': one of null, err_ptr, "),
        ('[allocators]\nf = [{ until = "6.5" }, { since = "6.4" }]', "f: has two entries for one kernel version"),
        (
            "[allocators]\nf_noprof = {}",
            "f_noprof: functions are looked up without the suffix: write 'f' for 'f_noprof'",
        ),
        ('[allocators]\nf = { spelled = ["g_noprof"] }', "f: functions are looked up without the suffix: write 'g'"),
        ("[allocators]\nf = [{}, {}]", "f: has two entries for one kernel version"),
        ('not_allocators = ["f"]\n[allocators]\nf = {}', "f: is both an allocator and none"),
        ('[reclaim]\nscan = { gate = "" }', 'scan: is not of the form "struct record.member"'),
        ('[reclaim]\n"struct a.b" = {}', "struct a.b: Object missing required field `gate`"),
        ('[reclaim]\n"struct a.b" = { gate = "FS" }', "struct a.b: unknown flag 'FS'"),
        (
            '[reclaim]\n"struct a.b" = { gate = "", record = "struct c" }',
            "struct a.b: says its record and member in its name",
        ),
        ('[members]\n"struct a.b" = { context = "nmi" }', "struct a.b: context = 'nmi': one of irq, bh, rcu, preempt"),
        ('[callbacks]\nf = { context = "irq" }', "f: Object missing required field `arg`"),
        ('[callbacks]\nf = { arg = 1, context = "irq", member = "call" }', "f: 'call' is not of the form"),
        ('[members]\n"struct a.b" = { context = "irq", unless = "c" }', "struct a.b: 'c' is not of the form"),
        (
            '[members]\n"struct a.b" = { context = "irq", unless = "struct a.c", bit = 4 }',
            "struct a.b: a bit has a name (flag) and a member that it is in (unless)",
        ),
        ("[queries]\nf = { nmi = 1 }", "f: unknown key 'nmi'"),
        ('[transactions]\nf = { does = "begin" }', "f: does = 'begin': one of start, commit, cancel, roll"),
        ('[transactions]\nf = { does = "commit", type_arg = 1 }', "f: only a start has a type"),
        ('[transactions]\nf = { does = "start", types = "T" }', "f: only a start has a type"),
        ('[transactions]\nf = { does = "start", type_arg = 1, types = "T" }', "there is no list transaction_types.T"),
        (
            '[transactions]\nf = { does = "commit", flags = "struct s.m" }',
            "f: only a start gives a transaction its flags",
        ),
        ('[transactions]\nf = { does = "start", type_flags = "struct s.m" }', "f: only a start gives"),
        ('[transactions]\nf = { does = "start", flags = "m" }', "f: 'm'"),
        ("transaction_types = []", "transaction_types: must be a table"),
        ("[transaction_types]\nT = [1]", "T: 1 is not a name of the right form"),
        ("[frees]\nf = { arg = 99 }", "f: arg = 99 is no argument index"),
        ('[lock_types]\n"struct a" = "spinny"', "struct a: unknown kind 'spinny'; one of spin,"),
        ('[lock_types]\n"struct a *" = "spin"', "struct a *: is not the name of a C type"),
        ("lock_types = []", "lock_types: must be a table"),
        ('inner = ["a"]', "inner: 'a' is not a name of the right form"),
        ('noreturn = ["a", "a"]', "a: stands twice in noreturn"),
        ("noreturn = [1]", "noreturn: 1 is not a name"),
        ('noreturn = "a"', "noreturn: must be an array of names"),
        ('[gfp]\nflag = ["__GFP_X"]', "flag: unknown list in the table gfp"),
        ('[gfp]\nrequired = ["__GFP_X"]', "__GFP_X: is required and not among the flags"),
        ("[gfp]\nvalues = { __GFP_X = 1 }", "__GFP_X: is not among the flags"),
        ('[gfp]\nvalues = { __GFP_IO = "1" }', "__GFP_IO: __GFP_IO = '1' is no flag of 32 bits"),
        ("[allocators]\nf = { word_arg = 1 }", "f: a word of flags (word) stands in an argument (word_arg)"),
        ('[allocators]\nf = { word = "km" }', "f: a word of flags (word) stands in an argument (word_arg)"),
        ('[allocators]\nf = { word = "km", word_arg = 1 }', "f: there is no table words.km"),
        ('[allocators]\nf = { word = "km", word_arg = 1, flags = "GFP_NOFS" }', "f: has either fixed flags or a word"),
        ('[words]\nkm = { plain = "GFP_KERNL" }', "km: unknown flag 'GFP_KERNL'"),
        ("[words.km]\nflags = []", "km: Object missing required field `plain`"),
        ('[words]\nkm = { plain = "GFP_NOFS", flag = [] }', "km: unknown key 'flag'; did you mean 'flags'?"),
        (
            '[words.km]\nplain = "GFP_NOFS"\nflags = [\n    { name = "K_N", value = 0 },\n]',
            "4: K_N: value = 0 has no bit that could be set",
        ),
        ("a = " + "[" * 10000, "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, problem: str) -> None:
    message = error(tmp_path, text)
    assert problem in message
    assert re.match(rf"{re.escape(str(tmp_path))}/mine\.toml:\d+: ", message)
    assert "\n" not in message


def test_the_line_is_named(tmp_path: Path) -> None:
    text = '# note\n\n[locks]\ngood = { does = "release", kind = "spin" }\n\nbad = { does = "acquire", kind = "no" }\n'
    assert error(tmp_path, text).startswith(f"{tmp_path / 'mine.toml'}:6: bad: ")
    text = '[reclaim]\n"struct a.b" = { gate = "FS" }\n'
    assert error(tmp_path, text).startswith(f"{tmp_path / 'mine.toml'}:2: struct a.b: ")
    text = 'noreturn = [\n    "x",\n    "x",\n]\n'
    assert error(tmp_path, text).startswith(f"{tmp_path / 'mine.toml'}:2: x: ")


def test_the_line_of_an_array_of_tables(tmp_path: Path) -> None:
    text = '[locks]\n\n[[locks.bad]]\ndoes = "acquire"\nkind = "no"\n'
    assert error(tmp_path, text).startswith(f"{tmp_path / 'mine.toml'}:3: bad: kind = 'no': one of ")


def test_two_files_may_not_say_the_same(tmp_path: Path) -> None:
    one = write(tmp_path, "[allocators]\nf = {}\n", "one.toml")
    two = write(tmp_path, '[allocators]\ng = { spelled = ["f"] }\n', "two.toml")
    with pytest.raises(ModelError, match=r"two\.toml:2: f: is already in .*one\.toml"):
        load((6, 12), [one, two])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.toml: cannot read the model file: No such file"):
        load((), [tmp_path / "absent.toml"])
    with pytest.raises(ModelError, match="cannot read the model file: Is a directory"):
        load((), [tmp_path])
    with pytest.raises(ModelError, match="cannot read the model file: embedded null byte"):
        load((), [Path("a\0b")])
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"a = '\xff\xfe'")
    with pytest.raises(ModelError, match=r"binary\.toml: not UTF-8 text \(byte 5\)"):
        load((), [binary])
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * (5 << 20))
    with pytest.raises(ModelError, match=r"huge\.toml: not a model file: larger than 4 MiB"):
        load((), [huge])


def test_lock_defaults() -> None:
    op = LockOp("acquire", "mutex")
    assert (op.arg, op.when, op.when_arg, op.token, op.mode, op.try_) == (0, "always", -1, -1, "exclusive", False)
