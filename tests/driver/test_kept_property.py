"""Whatever is edited in whatever order: with what earlier runs kept, a run finds what it finds without."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .kept_project import FILES, UNITS, Project

EDITS = (
    ("a.c", "GFP_KERNEL", "GFP_ATOMIC"),
    ("a.c", "queue_enter(q);", "spin_enter(&q->lock);"),
    ("a.c", "#include", "/* line */\n#include"),
    ("b.c", "b_part(q);", "b_part(q); b_part(q);"),
    ("b_part.c", "GFP_ATOMIC", "GFP_KERNEL"),
    ("b_part.c", "queue_grow", "(queue_grow)"),
    ("c.c", "return take(16, flags);", "return take(16, flags | __GFP_NOFAIL);"),
    ("c.c", "return take(16, flags);", "queue_leave(q); return take(16, flags);"),
    ("d.c", "take_big(64)", "take(64, GFP_KERNEL)"),
    ("include/memory.h", "GFP_ATOMIC 0", "GFP_ATOMIC __GFP_IO"),
    ("include/queue.h", "spin_enter(&q->lock)", "spin_enter(&(q)->lock)"),
    ("include/queue.h", "{ spin_leave(&q->lock); }", "{ if (q->first) spin_leave(&q->lock); }"),
)
STEPS = st.lists(
    st.one_of(
        st.sampled_from(EDITS),
        st.lists(st.sampled_from(UNITS), min_size=1, unique=True).map(lambda names: tuple(sorted(names))),
    ),
    min_size=2,
    max_size=4,
)


@pytest.mark.slow
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
def test_any_sequence_of_edits(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, ...]]
) -> None:
    """A step is an edit, made or taken back, or another choice of files."""
    with monkeypatch.context() as patch:
        project = Project(tmp_path_factory.mktemp("project"), patch)
        project.run()
        for step in steps:
            if step in EDITS:
                name, old, new = step
                text = (project.root / name).read_text()
                project.write(name, text.replace(old, new) if old in text else FILES[name])
            else:
                project.list_units(step)
            project.run()
