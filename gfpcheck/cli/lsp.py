"""`gfpcheck lsp`: a language server."""

from __future__ import annotations

import contextlib
import gc
import sys
from pathlib import Path

import click

from gfpcheck.cli.cache import cache_directory
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import follow_option, selection, where
from gfpcheck.cli.request import own_rules, policy, settings, words
from gfpcheck.cli.sections import RUNNING, SectionCommand, option
from gfpcheck.findings import Confidence

_NEEDED = ("pygls", "lsprotocol")


@click.command(cls=SectionCommand, short_help="Tell an editor what is found, as one types.")
@where
@follow_option
@selection
@option(RUNNING, "--worker", is_flag=True, hidden=True)
def lsp(
    arch: str | None,
    build_dir: Path | None,
    compile_commands: Path | None,
    tree: Path | None,
    models: tuple[Path, ...],
    config_file: Path | None,
    no_cache: bool,
    follow: int | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    rule_dirs: tuple[Path, ...],
    min_confidence: str | None,
    suppressions: tuple[Path, ...],
    worker: bool,
) -> int:
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

    cache = cache_directory(not no_cache)

    def options_for(path: Path) -> Options:
        try:
            config, config_path = settings(config_file, (path,))
            if config.rules and config_file is None:
                # To open a file is not to ask for what lies beside it to be run, wherever the editor stands.
                raise RunError(
                    f"{config_path} names rules, which are programs; to run them, say --config {config_path}"
                )
            return Options(
                paths=(path,),
                arch=arch or config.arch,
                build_dir=build_dir,
                compile_commands=compile_commands,
                tree=tree,
                follow=config.follow if follow is None else follow,
                select=words(select) or config.select,
                ignore=words(ignore) or config.ignore,
                rules_page=config.rules_page,
                rule_dirs=own_rules(config, config_path, config_file, rule_dirs),
                models=(*map(Path, config.models), *models),
                min_confidence=Confidence(min_confidence) if min_confidence else config.min_confidence,
                policy=policy(config, suppressions=suppressions),
                jobs=config.jobs,
                cache_dir=cache,
            )
        except click.ClickException as error:
            raise RunError(error.format_message()) from error

    with contextlib.suppress(KeyboardInterrupt):  # the server has no more use for it
        work(options_for)
    return Exit.CLEAN
