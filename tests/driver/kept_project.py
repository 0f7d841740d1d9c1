"""A small project in plain C, analysed again and again: what is found must be what a run without a cache finds."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from gfpcheck import frontend
from gfpcheck.driver import analyse, kept
from gfpcheck.driver.options import Options
from gfpcheck.driver.run import run
from gfpcheck.findings import Report
from gfpcheck.store import is_settled, stamp

MODEL = """
[locks]
spin_enter = { does = "acquire", kind = "spin" }
spin_leave = { does = "release", kind = "spin" }

[allocators]
take_big = { flags = "GFP_KERNEL" }
"""
FILES = {
    "include/memory.h": """
#ifndef MEMORY_H
#define MEMORY_H
typedef unsigned int gfp_t;
enum { __GFP_DIRECT_RECLAIM = 16, __GFP_IO = 32, __GFP_FS = 64, __GFP_NOFAIL = 128 };
#define GFP_KERNEL (__GFP_DIRECT_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_ATOMIC 0
struct spin { int taken; };
void spin_enter(struct spin *lock);
void spin_leave(struct spin *lock);
void *take(unsigned long size, gfp_t flags);
void *take_big(unsigned long size);
#endif
""",
    "include/queue.h": """
#ifndef QUEUE_H
#define QUEUE_H
#include "memory.h"
struct queue { struct spin lock; void *first; };
static inline void queue_enter(struct queue *q) { spin_enter(&q->lock); }
static inline void queue_leave(struct queue *q) { spin_leave(&q->lock); }
void *queue_grow(struct queue *q, gfp_t flags);
#endif
""",
    "a.c": """
#include <queue.h>
void a(struct queue *q)
{
	queue_enter(q);
	q->first = take(8, GFP_KERNEL);
	queue_leave(q);
}
""",
    "b.c": """
#include <queue.h>
#include "b_part.c"
void b(struct queue *q)
{
	queue_enter(q);
	b_part(q);
	queue_leave(q);
}
""",
    "b_part.c": """
static void b_part(struct queue *q)
{
	q->first = queue_grow(q, GFP_ATOMIC);
}
""",
    "c.c": """
#include <queue.h>
void *queue_grow(struct queue *q, gfp_t flags)
{
	return take(16, flags);
}
""",
    "d.c": """
#include <memory.h>
void *d(void)
{
	return take_big(64);
}
""",
}
UNITS = ("a.c", "b.c", "c.c", "d.c")


class Project:
    """Files below `root`, a cache, and a view of what runs do."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "project"
        self.cache = folder / "cache"
        self.cache.mkdir()
        self.read: set[str] = set()
        self.analysed = 0
        self.said: list[str] = []
        for name, text in FILES.items():
            self.write(name, text)
        self.list_units(UNITS)
        self.model = folder / "model.toml"
        self.model.write_text(MODEL)
        self.options = Options(
            paths=(self.root,), models=(self.model,), jobs=1, cache_dir=self.cache, announce=self.said.append
        )
        read_units, find_out = frontend.read_units, analyse.find_out

        def reading(units, settings, pool):  # type: ignore[no-untyped-def]
            self.read |= {unit.rel for unit in units}
            return read_units(units, settings, pool)

        def finding(*args):  # type: ignore[no-untyped-def]
            self.analysed += 1
            return find_out(*args)

        monkeypatch.setattr(frontend, "read_units", reading)
        monkeypatch.setattr(analyse, "find_out", finding)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def list_units(self, names: tuple[str, ...], folders: tuple[str, ...] = ("include",)) -> None:
        """Writes the compilation database."""
        flags = [f"-I{folder}" for folder in folders]
        entries = [{"directory": str(self.root), "file": n, "arguments": ["cc", *flags, "-c", n]} for n in names]
        self.write("compile_commands.json", json.dumps(entries))

    def settle(self) -> None:
        """Waits until what was written cannot be mistaken for what will be."""
        probe = self.root.parent / "probe"
        probe.write_text("")
        while not is_settled(stamp(str(probe)), time.time_ns()):
            time.sleep(0.01)

    def run(self, **changes: object) -> tuple[set[str], int]:
        """Runs with the cache and without; the report must be the same. Returns the files that were read with the
        cache, and how often the program was analysed."""
        self.settle()
        options = replace(self.options, **changes)  # type: ignore[arg-type]
        self.read, self.analysed = set(), 0
        found = run(options)
        seen = set(self.read), self.analysed
        expected = run(replace(options, cache_dir=None))
        assert as_text(found) == as_text(expected)
        return seen


def as_text(report: Report) -> str:
    return msgspec.json.format(msgspec.json.encode(report)).decode()


__all__ = ["FILES", "MODEL", "UNITS", "Project", "as_text", "kept"]
