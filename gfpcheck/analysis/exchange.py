"""What processes that summarise functions of one program together tell each other."""

from __future__ import annotations

import msgspec

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.kept import News
from gfpcheck.analysis.results import Share
from gfpcheck.workers import Copy


class Heard(msgspec.Struct, array_like=True):
    """What a copy has found out: all of it, what others must know of it, and what is to be kept."""

    whole: Share
    brief: Share
    kept: News


class Exchange:
    """The side of the process that asks: `engine` learns what the copies say, and they learn from each other. It is
    there before the copies are."""

    def __init__(self, engine: Engine) -> None:
        engine.results.news()  # which copies know
        self._engine = engine
        self._shares: list[tuple[Copy | None, Share]] = []
        self._told: dict[Copy, int] = {}

    def news_for(self, copy: Copy) -> list[Share]:
        """What `copy` has not heard of yet."""
        new = self._engine.results.news()
        if new:
            self._shares.append((None, Share.brief(new)))
        begin = self._told.get(copy, 0)
        self._told[copy] = len(self._shares)
        return [share for source, share in self._shares[begin:] if source is not copy]

    def hear(self, copy: Copy, heard: Heard) -> None:
        """Takes over what `copy` has found out."""
        self._engine.results.learn(heard.whole)
        if self._engine.kept is not None:
            self._engine.kept.learn(heard.kept)
        self._shares.append((copy, heard.brief))


def begin(engine: Engine) -> None:
    """In a copy, before anything else: what is known now is known to all."""
    engine.results.news()
    if engine.kept is not None:
        engine.kept.news()


def learn(engine: Engine, news: list[Share]) -> None:
    """In a copy: what others have found out."""
    for share in news:
        engine.results.learn(share)


def tell(engine: Engine) -> Heard:
    """In a copy: what was found out since this was last asked."""
    news = engine.results.news()
    kept = engine.kept.news() if engine.kept is not None else News({}, set())
    return Heard(Share.of(news), Share.brief(news), kept)
