"""The checker of model entries itself, on a tree of a few lines: it confirms what is right and sees what is wrong."""

import pytest

from gfpcheck.models import Allocator, Callback, LockOp, Models, ReclaimRoot, Scope
from gfpcheck.models.confirm import check
from gfpcheck.models.declarations import Tree, closing, split_params

SOURCES = {
    "include/linux/mutex.h": """
        /* void mutex_lock(int wrong); */
        struct mutex {
            int owner;
        };
        extern void mutex_lock(struct mutex *lock);
        extern int __must_check mutex_lock_killable(struct mutex *lock);
        extern bool mutex_trylock(struct mutex *lock);
        extern void mutex_unlock(struct mutex *lock);
        #define mutex_lock_io(lock) _mutex_lock_io(lock, 0)
        #define _mutex_lock_io(lock, n) \\
            mutex_lock_io_nested(lock, n)
        void mutex_lock_io_nested(struct mutex *lock, unsigned int subclass);
    """,
    "include/linux/fs.h": """
        struct inode {
            struct mutex i_mutex;
        };
        struct super_operations {
            void (*evict_inode) (struct inode *);
            int (*sync_fs)(struct super_block *sb, int wait);
        };
        static inline void inode_lock(struct inode *inode)
        {
            mutex_lock(&inode->i_mutex);
        }
    """,
    "include/linux/slab.h": """
        #define GFP_KERNEL (1 | 2)
        #define GFP_ATOMIC 4
        void * __alloc_size(1)
        kmalloc_noprof(size_t size, gfp_t flags);
        extern void *vmalloc(unsigned long size);
        static inline bool may_block(const gfp_t flags)
        {
            return flags & 1;
        }
        unsigned int memalloc_save(void);
        int request_irq(unsigned int irq, irq_handler_t handler);
    """,
    "mm/vmalloc.c": """
        static void *__vmalloc(unsigned long size, gfp_t flags)
        {
            return kmalloc(size, flags);
        }
        void *vmalloc(unsigned long size)
        {
        out:
            return __vmalloc(size, GFP_KERNEL);
        }
    """,
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    root = tmp_path_factory.mktemp("tree")
    for name, text in SOURCES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # At column 0, as in the kernel.
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in text.splitlines()), encoding="utf-8")
    return Tree(root)


def models(
    locks: dict[str, LockOp] | None = None,
    allocators: dict[str, Allocator] | None = None,
    scopes: dict[str, Scope] | None = None,
    roots: tuple[ReclaimRoot, ...] = (),
    callbacks: dict[str, Callback] | None = None,
    not_allocators: frozenset[str] = frozenset(),
) -> Models:
    return Models(
        locks={name: (op,) for name, op in (locks or {}).items()},
        scopes=scopes or {},
        allocators=allocators or {},
        reclaim_roots=roots,
        lock_types={},
        inner=frozenset(),
        not_allocators=not_allocators,
        noreturn=frozenset(),
        gfp_flags=("GFP_KERNEL",),
        gfp_required=(),
        gfp_compound=(),
        callbacks=callbacks or {},
    )


def test_right_entries_are_confirmed(tree: Tree) -> None:
    right = models(
        locks={
            "mutex_lock": LockOp("acquire", "mutex"),
            "mutex_lock_killable": LockOp("acquire", "mutex", when="zero", gives_up="killable"),
            "mutex_trylock": LockOp("acquire", "mutex", when="nonzero", try_=True),
            "mutex_lock_io": LockOp("acquire", "mutex", spelled=("mutex_lock_io_nested",)),
            "inode_lock": LockOp("acquire", "mutex", member="struct inode.i_mutex"),
        },
        allocators={
            "kmalloc": Allocator(size_arg=0),
            "vmalloc": Allocator(flags="GFP_KERNEL", size_arg=0),
        },
        scopes={"memalloc_save": Scope("open", "nofs")},
        roots=(ReclaimRoot("struct super_operations", "evict_inode", "", owns=0),),
        callbacks={"request_irq": Callback(1, "irq")},
        not_allocators=frozenset({"may_block"}),
    )
    assert check(right, tree) == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (models(locks={"mutex_luck": LockOp("acquire", "mutex")}), "mutex_luck: not in the tree"),
        (models(locks={"mutex_lock": LockOp("acquire", "rwsem")}), "kind rwsem, but the argument is 'struct mutex *'"),
        (models(locks={"mutex_lock": LockOp("acquire", "mutex", arg=1)}), "arg = 1, but there are 1 parameters"),
        (models(locks={"mutex_lock": LockOp("acquire", "mutex", when="zero")}), "when = 'zero', but it is 'void'"),
        (models(locks={"mutex_trylock": LockOp("acquire", "mutex")}), "returns bool, and counts as always successful"),
        (models(locks={"mutex_unlock": LockOp("release", "mutex", token=0)}), "token is 'struct mutex *lock'"),
        (models(locks={"mutex_lock_io": LockOp("acquire", "mutex", spelled=("mutex_lock",))}), "leaves none of mutex"),
        (models(locks={"mutex_lock": LockOp("acquire", "mutex", arg=-1, instance="big")}), "no variable big"),
        (
            models(locks={"inode_lock": LockOp("acquire", "mutex", member="struct inode.lock")}),
            "struct inode.lock is []",
        ),
        (
            models(locks={"inode_lock": LockOp("acquire", "mutex", member="struct file.f")}),
            "is not in 'struct inode *'",
        ),
        (models(allocators={"kmalloc": Allocator(flags="GFP_KERNEL")}), "has flags of its own and a gfp_t parameter"),
        (models(allocators={"vmalloc": Allocator()}), "has neither flags nor a gfp_t parameter"),
        (models(allocators={"vmalloc": Allocator(flags="GFP_ATOMIC")}), "vmalloc: GFP_ATOMIC is nowhere in it"),
        (models(allocators={"kmalloc": Allocator(size_arg=1)}), "size_arg is 'gfp_t flags'"),
        (models(allocators={"kmalloc": Allocator(fails="errno")}), "fails = 'errno', but it returns 'void *'"),
        (models(scopes={"may_block": Scope("open", "nofs")}), "the token is 'bool'"),
        (models(roots=(ReclaimRoot("struct inode", "evict_inode", ""),)), "struct inode.evict_inode: not in the tree"),
        (models(roots=(ReclaimRoot("struct super_operations", "sync_fs", "", owns=1),)), "does not own parameter 1"),
        (models(roots=(ReclaimRoot("struct super_operations", "sync_fs", "", mask=1),)), "has no flags"),
        (models(callbacks={"request_irq": Callback(0, "irq")}), "argument 0 is 'unsigned int irq'"),
        (models(not_allocators=frozenset({"vmalloc"})), "vmalloc: no function with a gfp_t parameter"),
    ],
)
def test_wrong_entries_are_seen(tree: Tree, wrong: Models, problem: str) -> None:
    problems = check(wrong, tree)
    assert any(problem in line for line in problems), problems


def test_comments_and_bodies_declare_nothing(tree: Tree) -> None:
    assert [function.params for function in tree.named("mutex_lock")] == [("struct mutex *lock",)]
    assert {function.file for function in tree.named("vmalloc")} == {"include/linux/slab.h", "mm/vmalloc.c"}
    assert [function.ret for function in tree.named("kmalloc")] == ["void * __alloc_size(1)"]


def test_parameters_are_split_at_the_top_level_alone() -> None:
    assert split_params("int (*fn)(void *, int), struct x\n\t*y") == ("int (*fn)(void *, int)", "struct x *y")
    assert split_params("void") == ()


def test_brackets_are_matched() -> None:
    assert closing("f((a), (b)) + (c)", 1) == 10
    assert closing("{ { }", 0) == 4
