"""The server: what the editor says and is told."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from gfpcheck import __version__
from gfpcheck.findings import Level
from gfpcheck.lsp.analyst import Analyst
from gfpcheck.lsp.document import Document
from gfpcheck.lsp.jobs import Encoding, Hint, Job, Spot
from gfpcheck.lsp.schedule import Schedule

_PAUSE = 0.5
"""Seconds without a keystroke before a text is looked at."""
_IDLE = 2.0
"""Seconds more before it is looked at together with what is built with it."""
_SEVERITY = {
    Level.ERROR: types.DiagnosticSeverity.Error,
    Level.WARNING: types.DiagnosticSeverity.Warning,
    Level.NOTE: types.DiagnosticSeverity.Information,
}
_ENCODING: dict[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}


def serve(worker: Sequence[str]) -> None:
    """Speaks with an editor over standard input and output until it is told to end. `worker` is the command that starts
    the process that analyses."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="gfpcheck: %(message)s")
    server = _Server(worker)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        server.start()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.opened(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.saved(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    @server.feature(types.SHUTDOWN)
    async def shut_down(_: None) -> None:
        await server.stop()

    server.start_io()


class _Look(NamedTuple):
    """A look at a document, alone or not."""

    uri: str
    wide: bool


class _Server(LanguageServer):
    """What is open, and what is told of it. Nothing here waits for the analysis."""

    def __init__(self, worker: Sequence[str]) -> None:
        super().__init__("gfpcheck", __version__)
        self._analyst = Analyst(worker)
        self._schedule = Schedule(self._look)
        self._running: asyncio.Future[None] | None = None
        self._open: dict[str, Document] = {}
        self._unseen: set[str] = set()  # documents that a wide look is due at
        self._told = ""

    def start(self) -> None:
        if self._running is None:
            self._analyst.prepare()
            self._running = asyncio.ensure_future(self._schedule.run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
        await self._analyst.close()

    def opened(self, uri: str) -> None:
        if urlsplit(uri).scheme == "file":
            self._open[uri] = Document(_path(uri))
            self._request(uri, 0)

    def changed(self, uri: str) -> None:
        for each in [uri] if _is_c(uri) else sorted(self._open):
            self._request(each, _PAUSE)

    def saved(self, uri: str) -> None:
        # The others may include it, or have settings that have changed.
        for each in sorted(self._open, key=lambda other: other != uri):
            self._request(each, 0)

    def closed(self, uri: str) -> None:
        if uri in self._open:
            del self._open[uri]
            self._unseen.discard(uri)
            for wide in (False, True):
                self._schedule.drop(_Look(uri, wide))
            self._publish(uri, None, [])

    def _request(self, uri: str, delay: float) -> None:
        if uri not in self._open or not _is_c(uri):
            return
        self._schedule.request(_Look(uri, False), delay)
        self._unseen.add(uri)
        # Wide looks take long: they wait until nobody types, in any file.
        for each in self._unseen:
            self._schedule.request(_Look(each, True), delay + _IDLE)

    async def _look(self, look: _Look) -> None:
        """Has a document looked at and tells what is in it."""
        uri, wide = look
        document, version = self._open[uri], self.workspace.get_text_document(uri).version
        texts = {_path(each): self.workspace.get_text_document(each).source for each in self._open}
        encoding = _ENCODING[self.workspace.position_encoding or "utf-16"]
        data = {path: text.encode("utf-8", "replace") for path, text in texts.items()}
        seen = await self._analyst.look(Job(_path(uri), data, encoding, wide))
        if self._open.get(uri) is not document or self.workspace.get_text_document(uri).version != version:
            return
        text = texts[_path(uri)]
        if wide:
            self._unseen.discard(uri)
        if seen.problem:
            # What was seen last stays: half a statement, say, is no reason to take it away.
            self._tell(f"{Path(_path(uri)).name}: {seen.problem}", aloud=not seen.foreign)
        elif not wide:
            self._publish(uri, version, document.narrow(text, seen.hints))
        elif seen.done:
            self._publish(uri, version, document.wide(text, seen.hints))

    def _tell(self, problem: str, *, aloud: bool) -> None:
        """Each problem is shown once in a row if it is told `aloud`, and always logged."""
        kind = types.MessageType.Warning
        self.window_log_message(types.LogMessageParams(kind, problem))
        if aloud and problem != self._told:
            self._told = problem
            self.window_show_message(types.ShowMessageParams(kind, f"gfpcheck: {problem}"))

    def _publish(self, uri: str, version: int | None, hints: Sequence[Hint]) -> None:
        diagnostics = [_diagnostic(hint, uri) for hint in hints]
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics, version))


def _diagnostic(hint: Hint, uri: str) -> types.Diagnostic:
    own = _path(uri)
    return types.Diagnostic(
        range=_range(hint.spot),
        message=hint.message,
        severity=_SEVERITY[hint.level],
        code=hint.rule,
        code_description=types.CodeDescription(hint.page) if hint.page else None,
        source="gfpcheck",
        related_information=[
            types.DiagnosticRelatedInformation(
                types.Location(uri if each.file == own else Path(each.file).as_uri(), _range(each.spot)), each.text
            )
            for each in hint.related
        ],
        data={"fingerprint": hint.fingerprint},
    )


def _range(spot: Spot) -> types.Range:
    return types.Range(types.Position(spot.line, spot.start), types.Position(spot.line, spot.end))


def _path(uri: str) -> str:
    """The file, without links."""
    return os.path.realpath(uris.to_fs_path(uri) or "/")


def _is_c(uri: str) -> bool:
    return uri.endswith(".c")
