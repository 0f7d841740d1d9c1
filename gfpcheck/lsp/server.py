"""The server: what the editor says and is told."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from gfpcheck import __version__
from gfpcheck.findings import Level
from gfpcheck.lsp.analyst import Analyst
from gfpcheck.lsp.jobs import Encoding, Hint, Job, Spot
from gfpcheck.lsp.schedule import Schedule

_PAUSE = 0.5
"""Seconds without a keystroke before a text is looked at."""
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


class _Server(LanguageServer):
    """What is open, and what is told of it. Nothing here waits for the analysis."""

    def __init__(self, worker: Sequence[str]) -> None:
        super().__init__("gfpcheck", __version__)
        self._analyst = Analyst(worker)
        self._schedule = Schedule(self._look)
        self._running: asyncio.Future[None] | None = None
        self._open: set[str] = set()
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
            self._open.add(uri)
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
            self._open.remove(uri)
            self._schedule.drop(uri)
            self._publish(uri, None, [])

    def _request(self, uri: str, delay: float) -> None:
        if uri in self._open and _is_c(uri):
            self._schedule.request(uri, delay)

    async def _look(self, uri: str) -> None:
        """Has the document looked at and tells what is in it."""
        version = self.workspace.get_text_document(uri).version
        texts = {_path(each): self.workspace.get_text_document(each).source for each in self._open}
        encoding = _ENCODING[self.workspace.position_encoding or "utf-16"]
        data = {path: text.encode("utf-8", "replace") for path, text in texts.items()}
        seen = await self._analyst.look(Job(_path(uri), data, encoding))
        if uri not in self._open or self.workspace.get_text_document(uri).version != version:
            return
        if seen.problem:
            # What was seen last stays: half a statement, say, is no reason to take it away.
            self._tell(f"{Path(_path(uri)).name}: {seen.problem}")
        else:
            self._publish(uri, version, seen.hints)

    def _tell(self, problem: str) -> None:
        """Each problem is shown once in a row, and always logged."""
        kind = types.MessageType.Warning
        self.window_log_message(types.LogMessageParams(kind, problem))
        if problem != self._told:
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
