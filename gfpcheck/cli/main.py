"""The entry point: dispatch, and every failure as one sentence."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem, shell_complete

from gfpcheck import __version__
from gfpcheck.cli import completion
from gfpcheck.cli.b4_check import b4_check
from gfpcheck.cli.cache import cache
from gfpcheck.cli.change import diff, patch
from gfpcheck.cli.check import check
from gfpcheck.cli.demand import demand
from gfpcheck.cli.doctor import doctor
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.explain import explain
from gfpcheck.cli.facts import facts
from gfpcheck.cli.inventory import inventory
from gfpcheck.cli.kbuild import kbuild
from gfpcheck.cli.locks import locks
from gfpcheck.cli.lsp import lsp
from gfpcheck.cli.man import man
from gfpcheck.cli.models import models
from gfpcheck.cli.nofs import nofs
from gfpcheck.cli.rules import rules
from gfpcheck.cli.scenario import scenario
from gfpcheck.cli.sections import write_sections
from gfpcheck.cli.suppress import suppress
from gfpcheck.cli.terminal import internal_error, note, say

_NAME = "gfpcheck"
_COMPLETE = "_GFPCHECK_COMPLETE"
_OWN_OPTIONS = ("-h", "--help", "--version")


class _Default(click.Group):
    """A group whose command is "check" when the first word is none of its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            raise click.UsageError("nothing to analyse: name a file or directory", ctx)
        if args and args[0] not in self.commands and args[0] not in _OWN_OPTIONS:
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] PATH...")
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_sections([*check.params, *self.get_params(ctx)], ctx, formatter)
        self.format_commands(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Completes the first word: an option of check, a path, or a command where no path fits."""
        if incomplete.startswith("-"):
            own = super().shell_complete(ctx, incomplete)
            seen = {item.value for item in own}
            return own + [item for item in check.shell_complete(ctx, incomplete) if item.value not in seen]
        if "/" in incomplete or _begins_a_file(incomplete):
            return [CompletionItem(incomplete, type="file")]
        return super().shell_complete(ctx, incomplete)


def _begins_a_file(name: str) -> bool:
    with contextlib.suppress(OSError):
        return any(entry.name.startswith(name) for entry in os.scandir())
    return False


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from gfpcheck.driver.options import RunError
        from gfpcheck.driver.survey import frontend_version  # loads libclang, which only this needs

        try:
            click.echo(f"gfpcheck {__version__} ({frontend_version()})")
        except RunError as error:
            raise click.ClickException(f"gfpcheck {__version__}: {error}") from error
        ctx.exit()


@click.group(
    cls=_Default,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Completion: eval "$(_GFPCHECK_COMPLETE=bash_source gfpcheck)" (or zsh_source, fish_source).',
)
@click.option("--version", is_flag=True, callback=_version, expose_value=False, is_eager=True, help="Show versions.")
def cli() -> None:
    """Find memory allocations made in the wrong context in kernel C: under a lock, inside reclaim, in a
    loop that never gives up.

    \b
    Examples:
      gfpcheck fs/xfs/                       a directory of the kernel tree you stand in
      gfpcheck ~/linux/mm/slub.c             one file of another tree
      gfpcheck --format sarif -o x.sarif fs  SARIF for code scanning
      gfpcheck doctor fs/xfs                 what gfpcheck makes of a path

    \b
    Exit codes: 0  nothing at or above --fail-on
                1  findings
                2  it could not do what was asked
    """


cli.add_command(check)
cli.add_command(diff)
cli.add_command(patch)
cli.add_command(b4_check)
cli.add_command(kbuild)
cli.add_command(doctor)
cli.add_command(explain)
cli.add_command(facts)
cli.add_command(lsp)
cli.add_command(inventory)
cli.add_command(locks)
cli.add_command(models)
cli.add_command(nofs)
cli.add_command(demand)
cli.add_command(rules)
cli.add_command(scenario)
cli.add_command(suppress)
cli.add_command(cache)
cli.add_command(man)


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; every failure but KeyboardInterrupt is a sentence."""
    try:
        return _dispatch(list(sys.argv[1:] if args is None else args))
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            note(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n")
        say(error.format_message())
        return Exit.FAILED
    except BrokenPipeError:  # `gfpcheck ... | head`: nobody is left to be told
        return Exit.FAILED
    except OSError as error:
        say(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
        return Exit.FAILED
    except Exception as error:
        say(internal_error(error))
        return Exit.FAILED


def _dispatch(args: list[str]) -> int:
    shell = os.environ.get(_COMPLETE)
    if shell:
        completion.install()
        return shell_complete(cli, {}, _NAME, _COMPLETE, shell)
    # Not cli.main(), which ends the process by itself when a pipe breaks.
    with cli.make_context(_NAME, list(args), obj=args) as context:
        result = cli.invoke(context)
    return result if isinstance(result, int) else Exit.CLEAN
