"""Words typed on the command line to calls below."""

import sys

import click

from ..errors import MOST, BayesmetaError, DataError
from ..ways import COMMAND, speaking
from ._batch import batch
from ._cache import cache
from ._explain import explain
from ._fit import fit
from ._prepare import check, init
from ._priors import priors
from ._psa import psa
from ._run import model, report, run
from .shown.echo import echo, forget
from .shown.progress import telling

__all__ = ["main"]

REFUSED, INTERRUPTED, PIPE_CLOSED = 2, 130, 141


class _Group(click.Group):
    """Commands whose refusals are one sentence on stderr and status 2."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; turn an error raised on purpose into its sentence."""
        for stream in filter(None, (sys.stdout, sys.stderr)):  # a closed one is None
            stream.reconfigure(errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]
        try:
            with speaking(COMMAND):
                return super().invoke(ctx)
        except DataError as error:
            _say_problems(error)
            sys.exit(REFUSED)
        except BayesmetaError as error:
            echo(f"bayesmeta: {_one_line(str(error))}", err=True)
            sys.exit(REFUSED)
        except KeyboardInterrupt:
            echo("bayesmeta: stopped; no file was left half-written.", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # e.g. `| head`
            forget(sys.stdout)
            sys.exit(PIPE_CLOSED)


def _say_problems(error: DataError) -> None:
    """One problem in its sentence, several in a list."""
    if len(error.problems) <= 1:
        echo(f"bayesmeta: {_one_line(str(error))}", err=True)
        return
    where = _one_line(error.table) or "the table"
    echo(f"bayesmeta: {where} has {len(error.problems)} problems:", err=True)
    for number, one in enumerate(error.listed, start=1):
        place = f"{number}. " if number <= MOST else ""
        echo(f"  {place}{_one_line(one)}", err=True)


def _one_line(text: str) -> str:
    """Text from a file as one line that a terminal shows and does not obey."""
    shown = (c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
    return "".join(shown)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bayesmeta")
def main() -> None:
    """Bayesian meta-analysis: exact or sampled, beside the frequentist and the published answer."""


for _command in (fit, batch, explain, init, check, model):
    assert _command.name
    assert _command.callback
    _command.callback = telling(_command.name, _command.callback)
for _command in (run, report, fit, batch, explain, init, check, model, psa, priors, cache):
    main.add_command(_command)
