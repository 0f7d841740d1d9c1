"""The entry point: dispatch, and every failure as one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from gfpcheck import __version__
from gfpcheck.cli.check import check
from gfpcheck.cli.doctor import doctor
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.terminal import say


class _Default(click.Group):
    """A group whose command is "check" when the first word is none of its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h", "--version"):
            args = ["check", *args]
        return super().parse_args(ctx, args)


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from gfpcheck.driver import frontend_version  # loads libclang, which only this needs

        click.echo(f"gfpcheck {__version__} ({frontend_version()})")
        ctx.exit()


@click.group(
    cls=_Default,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`gfpcheck PATH...` is short for `gfpcheck check PATH...`; see `gfpcheck check --help` for its options.",
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
    """


cli.add_command(check)
cli.add_command(doctor)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code. Never raises, never prints a traceback."""
    try:
        result = cli.main(args=list(args) if args is not None else None, prog_name="gfpcheck", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return Exit.FAILED
    except (KeyboardInterrupt, click.Abort):
        say("interrupted")
        return Exit.FAILED
    except BrokenPipeError:
        # The reader has gone (`gfpcheck ... | head`): keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except OSError as error:
        say(f"{error.filename + ': ' if error.filename else ''}{error.strerror or error}")
        return Exit.FAILED
    return result if isinstance(result, int) else Exit.CLEAN
