"""How macros and inline functions of the kernel come out; sources written for these tests in its idiom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from frontend_source import Source, callees, calls, expect, function

from gfpcheck.ir import pretty
from gfpcheck.ir.types import Block, Call, FnStore, Instr, successors

ALLOC = """
typedef unsigned int gfp_t; typedef unsigned long size_t;
struct tag { int x; }; extern struct tag *save(struct tag *); extern void restore(struct tag *, struct tag *);
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define BIT(n) (1UL << (n))
enum { DIRECT_BIT = 10, KSWAPD_BIT, IO_BIT = 6, FS_BIT };
#define __GFP_RECLAIM ((gfp_t)(BIT(DIRECT_BIT) | BIT(KSWAPD_BIT)))
#define __GFP_IO ((gfp_t)BIT(IO_BIT))
#define __GFP_FS ((gfp_t)BIT(FS_BIT))
#define GFP_KERNEL (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_NOFS (__GFP_RECLAIM | __GFP_IO)
#define with_tag(_tag, _do) ({ typeof(_do) _res; struct tag *_old = save(_tag); \\
  _res = _do; restore(_tag, _old); _res; })
#define hooks(_do) ({ static struct tag _tag = { 0 }; with_tag(&_tag, _do); })
void *kmalloc_noprof(size_t size, gfp_t flags);
void *kvrealloc_noprof(const void *p, size_t size, gfp_t flags);
void *kvrealloc_old(const void *p, size_t oldsize, size_t newsize, gfp_t flags);
void *vmalloc_noprof(size_t size);
#define kmalloc(...) hooks(kmalloc_noprof(__VA_ARGS__))
#define kvrealloc(...) hooks(kvrealloc_noprof(__VA_ARGS__))
#define vmalloc(...) hooks(vmalloc_noprof(__VA_ARGS__))
#define default_gfp(...) GFP_KERNEL
#define kmalloc_obj(var) ((typeof(var) *)kmalloc(sizeof(typeof(var)), default_gfp()))
#define new(type) ((type *)kmalloc(sizeof(type), GFP_NOFS))
struct thing { int a, b, c; };
#define WARN_ON(c) ({ int __ret = !!(c); if (unlikely(__ret)) warn(); unlikely(__ret); })
void warn(void); int check(void *);
"""

LOCKS = """
typedef struct { int owner; } arch_t; typedef struct spinlock { arch_t rlock; } spinlock_t;
struct mutex { int m; };
unsigned long _raw_spin_lock_irqsave(arch_t *lock); void _raw_spin_unlock_irqrestore(arch_t *lock, unsigned long f);
void _raw_spin_lock(arch_t *lock);
void mutex_lock_nested(struct mutex *m, unsigned int sub); void mutex_unlock(struct mutex *m);
static inline __attribute__((always_inline)) arch_t *spinlock_check(spinlock_t *lock) { return &lock->rlock; }
static inline __attribute__((always_inline)) void spin_lock(spinlock_t *lock) { _raw_spin_lock(&lock->rlock); }
#define typecheck(type, x) ({ type __dummy; typeof(x) __dummy2; (void)(&__dummy == &__dummy2); 1; })
#define raw_spin_lock_irqsave(lock, flags) do { typecheck(unsigned long, flags); \\
	flags = _raw_spin_lock_irqsave(lock); } while (0)
#define spin_lock_irqsave(lock, flags) do { raw_spin_lock_irqsave(spinlock_check(lock), flags); } while (0)
#define mutex_lock(lock) mutex_lock_nested(lock, 0)
struct dev { spinlock_t lock; struct mutex mutex; int n; };
"""

GUARDS = (
    LOCKS
    + """
#define __cleanup(func) __attribute__((__cleanup__(func)))
#define CLASS(_name, var) class_##_name##_t var __cleanup(class_##_name##_destructor) = class_##_name##_constructor
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define __UNIQUE_ID(prefix) JOIN(JOIN(__UNIQUE_ID_, prefix), __COUNTER__)
#define guard(_name) CLASS(_name, __UNIQUE_ID(guard))
typedef struct mutex *class_mutex_t;
static inline void class_mutex_destructor(class_mutex_t *p) { struct mutex *_T = *p; if (_T) { mutex_unlock(_T); } }
static inline class_mutex_t class_mutex_constructor(class_mutex_t _T) { mutex_lock(_T); return _T; }
static inline void *class_mutex_lock_ptr(class_mutex_t *_T) { return *_T; }
static const _Bool class_mutex_is_conditional = 0;
#define __guard_ptr(_name) class_##_name##_lock_ptr
#define __is_cond_ptr(_name) class_##_name##_is_conditional
#define __scoped_guard(_name, _label, args...) \\
	for (CLASS(_name, scope)(args); __guard_ptr(_name)(&scope) || !__is_cond_ptr(_name); ({ goto _label; })) \\
		if (0) { \\
_label: \\
			break; \\
		} else
#define scoped_guard(_name, args...) __scoped_guard(_name, __UNIQUE_ID(label), args)
int use(struct dev *); void done(struct dev *);
"""
)


def test_alloc_hooks_call_once(source: Source) -> None:
    """The operand of typeof() is the call too, and is not code."""
    module = source.lower(ALLOC + "void *f(size_t n) { return kmalloc(n, GFP_KERNEL); }")
    func = function(module)
    assert callees(func) == ["save", "kmalloc_noprof", "restore"]
    alloc = calls(func)[1]
    assert (alloc.macro, alloc.gfp) == ("kmalloc", 1)
    assert [pretty.expr(arg) for arg in alloc.args] == ["n", str(0xCC0)]


def test_nested_alloc_hooks(source: Source) -> None:
    module = source.lower(ALLOC + "int f(size_t n) { if (WARN_ON(!check(kmalloc(n, GFP_NOFS)))) return 1; return 0; }")
    func = function(module)
    assert callees(func) == ["save", "kmalloc_noprof", "restore", "check", "warn"]
    assert [call.macro for call in calls(func)] == ["kmalloc", "kmalloc", "kmalloc", "", "WARN_ON"]


def test_gfp_parameter_is_found_by_type(source: Source) -> None:
    """kvrealloc()'s flags moved from the fourth to the third place."""
    module = source.lower(
        ALLOC + "void f(void *p) { kvrealloc(p, 10, GFP_NOFS); kvrealloc_old(p, 5, 10, GFP_NOFS); vmalloc(7); }"
    )
    found = {pretty.expr(call.callee): (call.gfp, call.macro) for call in calls(function(module))}
    assert found["kvrealloc_noprof"] == (2, "kvrealloc")
    assert found["kvrealloc_old"] == (3, "")
    assert found["vmalloc_noprof"] == (-1, "vmalloc")
    assert [module.protos[name].gfp for name in ("kvrealloc_noprof", "kvrealloc_old", "vmalloc_noprof")] == [2, 3, -1]


def test_flags_implied_by_a_macro(source: Source) -> None:
    module = source.lower(
        ALLOC + "void f(void) { struct thing *t = kmalloc_obj(*t); struct thing *u = new(struct thing); check(u); }"
    )
    found = [call for call in calls(function(module)) if call.gfp >= 0]
    assert [call.macro for call in found] == ["kmalloc_obj", "new"]
    assert [[pretty.expr(arg) for arg in call.args] for call in found] == [
        ["sizeof(struct thing)", str(0xCC0)],
        ["sizeof(struct thing)", str(0xC40)],
    ]


def test_spin_lock_irqsave(source: Source) -> None:
    text = LOCKS + "void f(struct dev *d) { unsigned long flags; spin_lock_irqsave(&d->lock, flags); d->n++; }"
    module = source.lower(text)
    func = function(module)
    assert pretty.blocks(func.blocks) == expect("""
        0:
          %0 = spinlock_check(&d->lock)  [spin_lock_irqsave]
          %1 = _raw_spin_lock_irqsave(%0)  [spin_lock_irqsave]
          flags = %1
          d->n = d->n + 1
          return
        """)


def test_inline_lock_of_a_header(source: Source) -> None:
    source.unit("lock.h", LOCKS)
    text = '#include "lock.h"\nvoid f(struct dev *d) { spin_lock(&d->lock); }'
    module = source.lower(text)
    assert callees(function(module)) == ["spin_lock"]
    assert [func.name for func in module.headers] == ["spin_lock"]
    assert callees(function(module, "spin_lock")) == ["_raw_spin_lock"]
    assert module.protos["_raw_spin_lock"].params == ("arch_t *",)
    assert source.lower(text, stop=frozenset({"spin_lock"})).headers == []


def test_mutex_lock_is_a_macro(source: Source) -> None:
    module = source.lower(LOCKS + "void f(struct dev *d) { mutex_lock(&d->mutex); mutex_unlock(&d->mutex); }")
    assert [(pretty.expr(call.callee), call.macro) for call in calls(function(module))] == [
        ("mutex_lock_nested", "mutex_lock"),
        ("mutex_unlock", ""),
    ]


def test_guard(source: Source) -> None:
    """The destructor's name is nowhere in libclang's tree: it follows from the variable's type."""
    text = GUARDS + "int f(struct dev *d) { guard(mutex)(&d->mutex); if (use(d)) return -1; done(d); return 0; }"
    module = source.lower(text)
    assert pretty.blocks(function(module).blocks) == expect("""
        0:
          %0 = class_mutex_constructor(&d->mutex)  [guard]
          __UNIQUE_ID_guard = %0
          %1 = use(d)
          if %1 goto 1 else 2
        1:
          class_mutex_destructor(&__UNIQUE_ID_guard)  [cleanup]
          return -1
        2:
          done(d)
          class_mutex_destructor(&__UNIQUE_ID_guard)  [cleanup]
          return 0
        """)


def test_destructor_of_a_header_is_lowered(source: Source) -> None:
    source.unit("guard.h", GUARDS)
    module = source.lower('#include "guard.h"\nvoid f(struct dev *d) { guard(mutex)(&d->mutex); done(d); }')
    assert [func.name for func in module.headers] == ["class_mutex_constructor", "class_mutex_destructor"]
    assert "mutex_unlock" in callees(function(module, "class_mutex_destructor"))


def test_scoped_guard(source: Source) -> None:
    """A `for` around `if (0) { label: break; } else`; the step jumps to the label in the dead branch."""
    text = GUARDS + "void f(struct dev *d) { scoped_guard(mutex, &d->mutex) { use(d); } done(d); }"
    assert source.blocks(text) == expect("""
        0:
          %0 = class_mutex_constructor(&d->mutex)  [scoped_guard]
          scope = %0
          %1 = class_mutex_lock_ptr(&scope)  [scoped_guard]
          %2 = use(d)
          class_mutex_destructor(&scope)  [cleanup]
          done(d)
          return
        """)


@pytest.mark.parametrize(
    ("leave", "reaches_done"),
    [("return 1;", False), ("break;", True), ("continue;", True), ("goto out;", False)],
)
def test_leaving_a_scoped_guard(source: Source, leave: str, reaches_done: bool) -> None:
    text = (
        GUARDS
        + f"int f(struct dev *d) {{ scoped_guard(mutex, &d->mutex) {{ if (use(d)) {{ {leave} }} d->n = 1; }}"
        + " done(d); return 0; out: return 5; }"
    )
    func = function(source.lower(text))
    for path in _paths(func.blocks, 0, []):
        names = [pretty.expr(item.callee) for item in path if isinstance(item, Call)]
        assert names.count("class_mutex_constructor") == names.count("class_mutex_destructor") == 1
        left = not any(pretty.instr(item) == "d->n = 1" for item in path)
        assert ("done" in names) == (reaches_done or not left)


def _paths(blocks: tuple[Block, ...], number: int, before: list[Instr]) -> Iterator[list[Instr]]:
    """All ways through a graph without cycles, as instructions."""
    block = blocks[number]
    path = [*before, *block.instrs]
    following = successors(block.term)
    if not following:
        yield path
    for target in following:
        yield from _paths(blocks, target, path)


def test_sparse_annotations(source: Source) -> None:
    module = source.lower(
        """
        #define __acquires(x) __attribute__((annotate("acquires:" #x)))
        #define __must_hold(x) __attribute__((annotate("must_hold:" #x)))
        struct dev { int lock; };
        void take(struct dev *d) __acquires(&d->lock);
        void f(struct dev *d) __must_hold(&d->lock);
        void f(struct dev *d) { take(d); }
        """
    )
    assert function(module).annotations == ("must_hold:&d->lock",)
    assert module.protos["take"].annotations == ("acquires:&d->lock",)


def test_ops_table(source: Source) -> None:
    module = source.lower(
        """
        struct inode; struct ops { int (*open)(struct inode *); void (*evict)(struct inode *); };
        static int my_open(struct inode *i) { return 0; }
        static void my_evict(struct inode *i) { }
        const struct ops my_ops = {
          .open = my_open,
          .evict = my_evict,
        };
        """
    )
    assert module.stores == [
        FnStore("struct ops", "open", "my_open", "my_ops", "a.c", 5),
        FnStore("struct ops", "evict", "my_evict", "my_ops", "a.c", 5),
    ]


def test_build_bug_on_leaves_no_call(source: Source) -> None:
    module = source.lower(
        """
        #define __compiletime_assert(c, msg, prefix, suffix) do { \\
          __attribute__((noreturn)) extern void prefix##suffix(void) __attribute__((error(msg))); \\
          if (!(c)) prefix##suffix(); } while (0)
        #define _compiletime_assert(c, msg, prefix, suffix) __compiletime_assert(c, msg, prefix, suffix)
        #define BUILD_BUG_ON(c) _compiletime_assert(!(c), "x", __compiletime_assert_, __COUNTER__)
        void a(void);
        void f(void) { BUILD_BUG_ON(sizeof(long) != 8); a(); }
        """
    )
    assert callees(function(module)) == ["a"]
