"""`gfpcheck lsp`: a language server."""

from __future__ import annotations

import contextlib
import gc
import sys
from pathlib import Path

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import Selection, Sources, follow_option, selection, where
from gfpcheck.cli.request import policy, reporting, run_options, settings
from gfpcheck.cli.sections import RUNNING, SectionCommand, option

_NEEDED = ("pygls", "lsprotocol")


@click.command(cls=SectionCommand, short_help="Tell an editor what is found, as one types.")
@where
@follow_option
@selection
@option(RUNNING, "--worker", is_flag=True, hidden=True)
def lsp(sources: Sources, follow: int | None, selected: Selection, worker: bool) -> int:
    """Serve an editor over standard input and output (Language Server Protocol).

    A C file that is open there has the findings of `gfpcheck FILE`, with the text that is not saved yet, and with the
    settings of the gfpcheck.toml above it; after a pause, those that are seen together with the files of its Makefile.
    It needs pygls: `pip install 'gfpcheck[lsp]'`.
    """
    gc.enable()  # this does not end soon
    if not worker:
        try:
            from gfpcheck.lsp.server import serve
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in _NEEDED:
                raise
            raise click.ClickException("the language server needs pygls: pip install 'gfpcheck[lsp]'") from error
        # -P: what lies in the folder that the editor stands in is not to be run.
        serve((sys.executable, "-P", "-m", "gfpcheck", *click.get_current_context().obj, "--worker"))
        return Exit.CLEAN

    from gfpcheck.driver.options import Options, RunError
    from gfpcheck.lsp.worker import work

    def options_for(path: Path) -> Options:
        try:
            found = settings(sources.config_file, (path,))
            if found.config.rules and found.named is None:
                # To open a file is not to ask for what lies beside it to be run, wherever the editor stands.
                raise RunError(f"{found.path} names rules, which are programs; to run them, say --config {found.path}")
            options = run_options((path,), found, sources, follow=follow, quiet=True)
            return reporting(options, found, selected, policy(found.config, suppressions=selected.suppressions))
        except click.ClickException as error:
            raise RunError(error.format_message()) from error

    with contextlib.suppress(KeyboardInterrupt):  # the server has no more use for it
        work(options_for)
    return Exit.CLEAN
