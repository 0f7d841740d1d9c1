"""Every model entry against the headers and sources of real kernels (GFPCHECK_KERNELS names the folder)."""

import os
import re
from pathlib import Path

import pytest

from gfpcheck.models import Models, load
from gfpcheck.models.confirm import check
from gfpcheck.models.declarations import Tree

VERSIONS = {"6.1": (6, 1), "6.12": (6, 12)}

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


@pytest.fixture(scope="module")
def trees() -> dict[str, Tree]:
    folder = os.environ.get("GFPCHECK_KERNELS", "")
    roots = {version: Path(folder) / f"linux-source-{version}" for version in VERSIONS}
    if not folder or not all(root.is_dir() for root in roots.values()):
        pytest.skip("GFPCHECK_KERNELS does not name a folder with linux-source-6.1 and linux-source-6.12")
    return {version: Tree(root) for version, root in roots.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_tree_confirms_every_entry(trees: dict[str, Tree], version: str) -> None:
    others = tuple(tree for name, tree in trees.items() if name != version)
    assert check(load(VERSIONS[version]), trees[version], others) == []


def with_entry(folder: Path, text: str) -> Models:
    path = folder / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    return load((6, 12), [path])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[locks]\nno_such_lock = { does = "acquire", kind = "spin" }', "no_such_lock: not in the tree"),
        (
            '[locks]\nmutex_trylock = { does = "acquire", kind = "mutex", arg = 1 }',
            "arg = 1, but there are 1 parameters",
        ),
        ('[locks]\ndown_read = { does = "acquire", kind = "mutex" }', "kind mutex, but the argument is 'struct rw_sem"),
        ('[locks]\nrtnl_lock = { does = "acquire", kind = "mutex", arg = -1, when = "zero" }', "it is 'void'"),
        ('[locks]\ndown_trylock = { does = "acquire", kind = "semaphore", when = "nonnull" }', "but it is 'int'"),
        ('[locks]\ntask_lock = { does = "release", kind = "spin", member = "struct task_struct.pi_lock2" }', "is []"),
        ('[locks]\ninode_lock = { does = "release", kind = "mutex", member = "struct inode.i_rwsem" }', "i_rwsem is ["),
        (
            '[locks]\nspin_lock_irqsave = { does = "release", kind = "spin", spelled = ["mutex_lock"] }',
            "leaves none of",
        ),
        ('[scopes]\nvmalloc = { does = "open", kind = "nofs" }', "the token is 'void *'"),
        ('[allocators]\nkmalloc = { flags = "GFP_KERNEL" }', "has flags of its own and a gfp_t parameter"),
        ("[allocators]\nvmalloc = {}", "has neither flags nor a gfp_t parameter"),
        ('[allocators]\nvmalloc = { flags = "GFP_ATOMIC" }', "vmalloc: GFP_ATOMIC is nowhere in it"),
        ("[allocators]\nkmalloc = { size_arg = 1 }", "size_arg is 'gfp_t flags'"),
        ("[allocators]\nalloc_pages = { order_arg = 0 }", "order_arg is 'gfp_t gfp'"),
        ('[allocators]\nxa_insert = { fails = "null" }', "fails = 'null', but it returns 'int'"),
        ('not_allocators = ["schedule"]', "schedule: no function with a gfp_t parameter"),
        ('[reclaim]\n"struct inode_operations.evict_inode" = { gate = "" }', "evict_inode: not in the tree"),
        ('[reclaim]\n"struct super_operations.evict_inode" = { gate = "", owns = 1 }', "does not own parameter 1"),
        ('[callbacks]\nrequest_irq = { arg = 0, context = "irq" }', "argument 0 is 'unsigned int irq'"),
        (
            '[callbacks]\ncall_rcu = { arg = 1, context = "bh", member = "struct rcu_head.func" }',
            "argument 1 is 'rcu_callback_t func'",
        ),
        ('[transactions]\nxfs_trans_alloc = { does = "start", type_arg = 2 }', "the type is 'uint'"),
        (
            '[transactions]\nxfs_trans_alloc = { does = "start", flags = "struct xfs_trans.t_no" }',
            "no member struct xfs_trans.t_no",
        ),
        ('[transactions]\nno_trans_alloc = { does = "start" }', "no_trans_alloc: not in the tree"),
        ('[transaction_types]\nEXT4_HT = ["EXT4_HT_INODE"]', "EXT4_HT_INODE is not 0"),
        ("[frees]\nkmem_cache_free = { arg = 2 }", "argument 2 is 'not there'"),
        ("[queries]\nno_such_count = { irq = 1 }", "no_such_count: not in the tree"),
        ("[task_states]\nprepare_to_wait = { arg = 0 }", "the task's state is 'struct wait_queue_head *'"),
        ('[workers]\nqueue_work_on = { does = "start", arg = 1 }', "the work item is 'struct workqueue_struct *'"),
        ('[allocators]\nmempool_alloc = { family = "mempool", pool_arg = 1 }', "pool_arg is 'gfp_t gfp_mask'"),
        ('pool_returns = ["no_such_free"]', "pool_returns no_such_free: unknown"),
        (
            '[members]\n"struct blk_mq_ops.queue_rq" = { context = "rcu", unless = "struct blk_mq_tag_set.flags", '
            'bit = 7, flag = "BLK_MQ_F_BLOCKING" }',
            "BLK_MQ_F_BLOCKING is not bit 7",
        ),
        (
            '[members]\n"struct blk_mq_ops.queue_rq" = { context = "rcu", unless = "struct blk_mq_tag_set.flag" }',
            "no member struct blk_mq_tag_set.flag",
        ),
        ('[members]\n"struct timer_list.func" = { context = "bh" }', "members struct timer_list.func: not in the tree"),
        ('inner = ["struct mutex.rlock"]', "inner struct mutex.rlock: not in the tree"),
        ('[lock_types]\n"struct mutexx" = "mutex"', "lock_types struct mutexx: not in the tree"),
        ('noreturn = ["__no_such_error"]', "noreturn __no_such_error: unknown"),
        ('[gfp]\nflags = ["__GFP_WAIT"]', "gfp __GFP_WAIT: unknown"),
    ],
)
def test_a_wrong_entry_is_found(trees: dict[str, Tree], tmp_path: Path, text: str, problem: str) -> None:
    problems = check(with_entry(tmp_path, text), trees["6.12"], (trees["6.1"],))
    assert len(problems) >= 1
    assert any(problem in line for line in problems), problems


def test_whatever_only_computes_flags_is_no_allocator(trees: dict[str, Tree]) -> None:
    hooks = re.compile(
        r"^(gfp_|gfpflags_|_*kasan_(k|slab)|kmsan_|kmemleak_|fs_reclaim_|vmpressure|warn_)|_release_folio$"
    )
    with_flags = [
        function
        for tree in trees.values()
        for functions in tree.functions.values()
        for function in functions
        if function.file.startswith("include/") and any(re.search(r"\bgfp_t\b", param) for param in function.params)
    ]
    harmless = {function.name for function in with_flags if "gfp_t" in function.ret or hooks.search(function.name)}
    assert len(with_flags) > 1000
    assert len(harmless) > 20
    assert harmless - load((6, 12)).not_allocators == set()
