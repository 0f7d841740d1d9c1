"""Access paths: simplification, classes, ownership, display."""

from gfpcheck.analysis.paths import (
    addr,
    canonical,
    class_of,
    deref,
    embedded_in,
    followed,
    handed_on,
    has_class,
    is_exact,
    names_in,
    put,
    replace,
    show,
)
from gfpcheck.ir import Addr, Bin, Const, Deref, Expr, Field, Index, Var

INODE = Var("inode", "p")
IP = Var("ip", "l")
VFS = Field(Deref(IP), "struct mini_inode", "vfs_inode")


def container(pointer: Expr) -> Expr:
    return Bin("-", pointer, Const(64, "offsetof(struct mini_inode, vfs_inode)"))


def test_address_and_dereference_cancel() -> None:
    assert deref(addr(VFS)) == VFS
    assert addr(deref(IP)) == IP
    assert canonical(Deref(Addr(Deref(Addr(VFS))))) == VFS


def test_container_of_a_members_address_is_the_object() -> None:
    assert canonical(container(Addr(VFS))) == IP
    assert canonical(container(INODE)) == container(INODE)


def test_container_of_another_member_is_left_alone() -> None:
    other = Addr(Field(Deref(IP), "struct mini_inode", "other"))
    assert canonical(container(other)) == container(other)


def test_replacing_a_variable_simplifies_what_comes_of_it() -> None:
    lock = Field(Deref(container(INODE)), "struct mini_inode", "lock")
    assert replace(lock, {INODE: Addr(VFS)}) == Field(Deref(IP), "struct mini_inode", "lock")
    assert replace(lock, {IP: INODE}) is lock


def test_class_is_named_as_lockdep_would() -> None:
    assert class_of(Field(Deref(IP), "struct mini_inode", "lock"), "f") == "struct mini_inode.lock"
    assert class_of(Index(Field(Deref(IP), "struct mini_inode", "locks"), Const(3)), "f") == "struct mini_inode.locks"
    assert class_of(Var("global_lock", "g"), "f") == "global_lock"


def test_a_lock_behind_a_bare_pointer_has_no_class() -> None:
    cls = class_of(Deref(Var("lock", "p")), "f")
    assert cls == "<f:lock>"
    assert not has_class(cls)


def test_a_lock_behind_a_member_is_named_after_it_and_may_be_any() -> None:
    lock = Deref(Field(Deref(IP), "struct host", "host_lock"))
    assert class_of(lock, "f") == "*struct host.host_lock"
    assert has_class(class_of(lock, "f"))
    assert not is_exact(class_of(lock, "f"))


def test_pointers_are_followed_where_memory_is_read() -> None:
    member = Field(Deref(IP), "struct inode", "i_lock")
    assert followed(member) == (IP,)
    assert followed(Addr(member)) == ()
    assert followed(Addr(Field(Deref(member), "struct other", "x"))) == (IP,)
    assert followed(Bin("+", member, Const(1))) == (IP,)


def test_any_part_can_be_put_in_another_place() -> None:
    member = Field(Deref(IP), "struct inode", "i_lock")
    assert put(Deref(member), member, INODE) == Deref(INODE)
    assert put(Deref(Addr(member)), Addr(member), IP) == Deref(IP)
    assert put(Const(1), member, INODE) == Const(1)


def test_locks_of_the_owned_object_are_embedded_and_others_are_not() -> None:
    owners = frozenset({INODE})
    own = Field(Deref(container(INODE)), "struct mini_inode", "lock")
    superblock = Deref(Field(Deref(INODE), "struct inode", "i_sb"))
    assert embedded_in(own, owners)
    assert embedded_in(Field(Deref(INODE), "struct inode", "i_lock"), owners)
    assert not embedded_in(Field(superblock, "struct super_block", "s_umount"), owners)
    assert not embedded_in(Var("global_lock", "g"), owners)


def test_names() -> None:
    assert names_in(Index(Field(Deref(IP), "struct x", "a"), INODE)) == {IP, INODE}


def test_paths_are_shown_as_c() -> None:
    assert show(Addr(Field(Deref(IP), "struct x", "lock"))) == "&ip->lock"
    assert show(Field(Index(Deref(Var("table", "g")), Const(2)), "struct b", "lock")) == "(*table)[2].lock"
    assert show(Field(Deref(container(INODE)), "struct mini_inode", "lock")) == "container_of(inode)->lock"
    assert show(Bin("&", Var("flags", "p"), Const(4))) == "flags & 4"
    assert show(Bin("*", Bin("+", Const(1), Const(2)), Var("n@2", "l"))) == "(1 + 2) * n"


def test_what_is_handed_on_has_a_new_name() -> None:
    control, name = Var("sc", "p"), Var("c", "p")
    mask = Field(Deref(control), "struct shrink_control", "gfp_mask")
    assert handed_on(mask, {control: name}) == Field(Deref(name), "struct shrink_control", "gfp_mask")
    assert handed_on(mask, {mask: name}) == name
    assert handed_on(mask, {INODE: name}) is None
