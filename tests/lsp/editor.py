"""An editor: a client of the real server, which runs as a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

ROOT = Path(__file__).resolve().parent.parent.parent
TIMEOUT = 120.0

Diagnostics = list[types.Diagnostic]


class Editor:
    """What an editor does with files, and what it is told."""

    def __init__(self) -> None:
        self.client = LanguageClient("editor", "1")
        self.published: list[types.PublishDiagnosticsParams] = []
        self.shown: list[str] = []
        self.logged: list[str] = []
        self._told = asyncio.Event()
        self._versions: dict[str, int] = {}

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
        def publish(params: types.PublishDiagnosticsParams) -> None:
            self.published.append(params)
            self._told.set()

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]
        def show(params: types.ShowMessageParams) -> None:
            self.shown.append(params.message)
            self._told.set()

        @self.client.feature(types.WINDOW_LOG_MESSAGE)  # type: ignore[untyped-decorator]
        def log(params: types.LogMessageParams) -> None:
            self.logged.append(params.message)
            self._told.set()

    def open(self, path: Path, text: str | None = None) -> None:
        """Opens a file, with another text than it has if one is given."""
        self._versions[path.as_uri()] = 1
        content = path.read_text() if text is None else text
        document = types.TextDocumentItem(path.as_uri(), "c", 1, content)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(document))

    def type(self, path: Path, text: str) -> int:
        """Makes this the text, and returns its version."""
        self._versions[path.as_uri()] += 1
        version = self._versions[path.as_uri()]
        document = types.VersionedTextDocumentIdentifier(version, path.as_uri())
        whole = [types.TextDocumentContentChangeWholeDocument(text)]
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, whole))
        return version

    def save(self, path: Path, text: str) -> None:
        path.write_text(text)
        document = types.TextDocumentIdentifier(path.as_uri())
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(document))

    def close(self, path: Path) -> None:
        document = types.TextDocumentIdentifier(path.as_uri())
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    async def diagnostics(self, path: Path, version: int | None = 1) -> Diagnostics:
        """What is said of that version of the file, once it is."""

        def said() -> list[types.PublishDiagnosticsParams]:
            return [each for each in self.published if (each.uri, each.version) == (path.as_uri(), version)]

        await self.until(lambda: bool(said()))
        return list(said()[-1].diagnostics)

    async def anything(self) -> None:
        """Waits until the server tells something that it has not told yet."""
        told = len(self.published) + len(self.shown)
        await self.until(lambda: len(self.published) + len(self.shown) > told)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until the server has told what makes the condition true."""
        async with asyncio.timeout(TIMEOUT):
            while not condition():
                self._told.clear()
                await self._told.wait()


@asynccontextmanager
async def editor(
    cache: Path, *args: str, encodings: list[types.PositionEncodingKind | str] | None = None
) -> AsyncIterator[Editor]:
    """An editor that has started the server. At the end it asks it to stop: then the server must have stopped, without
    a traceback, and nothing is left of it."""
    one = Editor()
    with tempfile.TemporaryDirectory() as temporary:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "GFPCHECK_CACHE": str(cache), "TMPDIR": temporary}
        await one.client.start_io(sys.executable, "-P", "-m", "gfpcheck", "lsp", *args, env=environment)
        general = types.GeneralClientCapabilities(position_encodings=encodings)
        await one.client.initialize_async(types.InitializeParams(types.ClientCapabilities(general=general)))
        one.client.initialized(types.InitializedParams())
        yield one
        process = one.client._server
        assert process is not None
        assert process.stderr is not None
        async with asyncio.timeout(TIMEOUT):
            await one.client.shutdown_async(None)
            one.client.exit(None)
            errors = (await process.stderr.read()).decode()
            assert await process.wait() == 0
        await one.client.stop()  # type: ignore[no-untyped-call]
        assert "Traceback" not in errors, errors
        assert [str(each) for each in Path(temporary).rglob("*")] == []
