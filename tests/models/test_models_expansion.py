"""What the kernel's lock and allocator macros leave in the IR is what the models know, in real kernels.

Each statement is compiled as a function of its own against the tree's headers, without lockdep and with it.
"""

import os
from pathlib import Path

import pytest

from gfpcheck import frontend, kbuild
from gfpcheck.ir import Call, Func, Var
from gfpcheck.kbuild import Unit
from gfpcheck.models import Models, base_name, load

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

VERSIONS = ("6.1", "6.12")

LOCKDEP = tuple(
    f"-DCONFIG_{option}=1"
    for option in (
        "LOCKDEP",
        "PROVE_LOCKING",
        "DEBUG_LOCK_ALLOC",
        "DEBUG_SPINLOCK",
        "DEBUG_MUTEXES",
        "DEBUG_PREEMPT",
        "TRACE_IRQFLAGS",
    )
)

PRELUDE = """
#include <linux/spinlock.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/rtmutex.h>
#include <linux/seqlock.h>
#include <linux/percpu.h>
#include <linux/local_lock.h>
#include <linux/xarray.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/mempool.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/workqueue.h>
#include <linux/rtnetlink.h>
#include <linux/mm.h>
#include <net/sock.h>
struct s {
    spinlock_t l; raw_spinlock_t r; rwlock_t w; seqlock_t q; seqcount_t c; struct mutex m; struct rw_semaphore rw;
    struct xarray x; atomic_t a; struct rt_mutex rt; struct timer_list t; struct percpu_counter pc;
};
struct pc { local_lock_t ll; };
DEFINE_PER_CPU(struct pc, pcs);
DEFINE_PER_CPU(int, pci);
struct page *pg;
void *p;
unsigned long ul;
"""

# Statement, and the operations it is known by: +kind acquires, -kind releases, ?kind asserts; contexts follow
# the lock that switches them; a name alone allocates.
PROBES = {
    "spin_lock_irqsave(&s->l, f); spin_unlock_irqrestore(&s->l, f);": "+spin+irq -spin-irq",
    "spin_lock_nested(&s->l, 1); spin_unlock(&s->l);": "+spin -spin",
    "if (spin_trylock_irqsave(&s->l, f)) spin_unlock_irq(&s->l);": "+irq +spin -irq -spin-irq",
    "raw_spin_lock(&s->r); raw_spin_unlock(&s->r);": "+spin -spin",
    "raw_spin_lock_irqsave(&s->r, f); raw_spin_unlock_irqrestore(&s->r, f);": "+spin+irq -spin-irq",
    "raw_spin_lock_irq(&s->r); raw_spin_unlock_irq(&s->r);": "+spin+irq -spin-irq",
    "raw_spin_lock_bh(&s->r); raw_spin_unlock_bh(&s->r);": "+spin+bh -spin-bh",
    "read_lock(&s->w); read_unlock(&s->w);": "+rwlock -rwlock",
    "write_lock_irqsave(&s->w, f); write_unlock_irqrestore(&s->w, f);": "+rwlock+irq -rwlock-irq",
    "if (write_trylock(&s->w)) write_unlock(&s->w);": "+rwlock -rwlock",
    "if (atomic_dec_and_lock_irqsave(&s->a, &s->l, f)) spin_unlock(&s->l);": "+spin+irq -spin",
    "write_seqlock_irqsave(&s->q, f); write_sequnlock_irqrestore(&s->q, f);": "+seqlock+irq -seqlock-irq",
    "read_seqlock_excl_irqsave(&s->q, f); read_sequnlock_excl(&s->q);": "+seqlock+irq -seqlock",
    "write_seqcount_begin(&s->c); write_seqcount_end(&s->c);": "+preempt +seqlock -seqlock -preempt",
    "local_lock(&pcs.ll); local_unlock(&pcs.ll);": "+preempt +local_lock -local_lock -preempt",
    "local_lock_irqsave(&pcs.ll, f); local_unlock_irqrestore(&pcs.ll, f);": "+irq +local_lock -local_lock -irq",
    "preempt_disable(); preempt_enable();": "+preempt -preempt",
    "preempt_disable_notrace(); preempt_enable_notrace();": "+preempt -preempt",
    "preempt_disable(); preempt_enable_no_resched();": "+preempt -preempt",
    "get_cpu(); put_cpu();": "+preempt -preempt",
    "get_cpu_var(pci)++; put_cpu_var(pci);": "+preempt -preempt",
    "get_cpu_ptr(&pcs); put_cpu_ptr(&pcs);": "+preempt -preempt",
    "local_irq_disable(); local_irq_enable();": "+irq -irq",
    "local_irq_save(f); local_irq_restore(f);": "+irq -irq",
    "local_bh_disable(); local_bh_enable();": "+bh -bh",
    "p = kmap_atomic(pg); kunmap_atomic(p);": "+kmap -kmap",
    "xa_lock_irqsave(&s->x, f); xa_unlock_irqrestore(&s->x, f);": "+spin+irq -spin-irq",
    "xa_lock_bh(&s->x); xa_unlock_bh(&s->x);": "+spin+bh -spin-bh",
    "mutex_lock(&s->m); mutex_lock_nested(&s->m, 1); mutex_unlock(&s->m);": "+mutex +mutex -mutex",
    "rt_mutex_lock(&s->rt); rt_mutex_unlock(&s->rt);": "+rt_mutex -rt_mutex",
    "down_read_nested(&s->rw, 1); down_write_nest_lock(&s->rw, &s->rw);": "+rwsem +rwsem",
    "bh_lock_sock(sk); bh_lock_sock_nested(sk); bh_unlock_sock(sk);": "+spin +spin -spin",
    "assert_spin_locked(&s->l); assert_raw_spin_locked(&s->r);": "?spin ?raw_spin",
    "ASSERT_RTNL();": "?mutex",
    "lockdep_assert_held(&s->l); lockdep_assert_held_once(&s->m);": "?sleeping ?sleeping",
    "lockdep_assert_held_write(&s->rw); lockdep_assert_held_read(&s->rw);": "?sleeping ?sleeping",
    "lockdep_assert_irqs_disabled(); lockdep_assert_preemption_disabled();": "?irq ?preempt",
    "lockdep_assert_in_irq(); lockdep_assert_in_softirq();": "?irq ?bh",
    "rcu_read_lock_bh(); rcu_read_unlock_bh();": "+rcu+bh -rcu-bh",
    "p = kmalloc(4, GFP_KERNEL); p = kzalloc(f, GFP_NOFS); p = kcalloc(2, f, GFP_ATOMIC);": "slab slab slab",
    "p = kvmalloc(f, GFP_KERNEL); p = kvcalloc(f, 2, GFP_KERNEL); p = vmalloc(f);": "kvmalloc kvmalloc vmalloc",
    "pg = alloc_page(GFP_KERNEL); ul = __get_free_page(GFP_KERNEL);": "page page",
    "pg = alloc_pages_node(0, GFP_KERNEL, 2); alloc_pages_bulk_array(GFP_KERNEL, 3, &pg);": "page bulk",
    "p = alloc_percpu(int); p = alloc_percpu_gfp(int, GFP_ATOMIC); percpu_counter_init(&s->pc, 0, GFP_KERNEL);": (
        "percpu percpu percpu"
    ),
    'kthread_run(0, s, "x"); create_workqueue("x"); mempool_create(1, 0, 0, 0);': "other other other",
    'kmem_cache_create("x", 4, 4, 0, NULL);': "other",
}


@pytest.fixture(scope="module", params=VERSIONS)
def unit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Unit, str, Models]:
    root = Path(os.environ.get("GFPCHECK_KERNELS", "")) / f"linux-source-{request.param}"
    if not os.environ.get("GFPCHECK_KERNELS") or not root.is_dir():
        pytest.skip(f"GFPCHECK_KERNELS does not name a folder with {root.name}")
    plan = kbuild.make_plan([root / "mm" / "mempool.c"], cache_dir=tmp_path_factory.mktemp("cache"))
    return plan.units[0], plan.root, load(plan.version)


@pytest.mark.parametrize("options", [(), LOCKDEP], ids=["plain", "lockdep"])
def test_macros_leave_what_the_models_know(
    unit: tuple[Unit, str, Models], options: tuple[str, ...], tmp_path: Path
) -> None:
    like, root, models = unit
    parameters = "struct s *s, unsigned long f, struct sock *sk"
    lines = [f"void probe_{number}({parameters}) {{ {text} }}" for number, text in enumerate(PROBES)]
    path = tmp_path / "probe.c"
    path.write_text(PRELUDE + "\n".join(lines) + "\n", encoding="utf-8")
    probe = Unit(path=str(path), rel=str(path), args=(*like.args, *options), cwd=like.cwd)
    stop = models.names | {f"{name}_noprof" for name in models.names}
    module = frontend.lower_file(probe, root, stop=stop, noreturn=models.noreturn)
    functions = {function.name: function for function in module.functions}
    seen = {text: _operations(functions[f"probe_{number}"], models) for number, text in enumerate(PROBES)}
    assert seen == PROBES


def _operations(function: Func, models: Models) -> str:
    found = []
    for call in (each for block in function.blocks for each in block.instrs if isinstance(each, Call)):
        assert isinstance(call.callee, Var)
        name = base_name(call.callee.name)
        for op in models.locks.get(name) or models.macros.get((call.macro, name), ()):
            sign = {"acquire": "+", "release": "-", "assert": "?"}[op.does]
            found.append("".join(f"{sign}{kind}" for kind in (op.kind, *op.disables)))
        if name in models.allocators:
            found.append(models.allocators[name].family or "other")
    return " ".join(found)
