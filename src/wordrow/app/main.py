"""The entry point of the command line: all commands, and how errors are shown.

Errors are one line on standard error and exit status 2; Ctrl-C is 130.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

import wordrow
from wordrow.app import demo, explain, models, script, vectors

__all__ = ["app", "main"]

app = typer.Typer(
    name="wordrow",
    help="Raw text to trained word vectors: every word gets a row.",
    epilog="Begin with `wordrow demo`; `wordrow COMMAND --help` shows what a command takes.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("train")(models.train)
app.command("evaluate")(models.evaluate)
app.command("predict")(models.predict)
app.command("explain")(explain.explain)
app.add_typer(vectors.app, name="vectors")
app.command(
    "run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)(script.script)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"wordrow {wordrow.__version__}")
        raise typer.Exit


@app.callback()
def global_options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Options of the command itself; each is handled by its callback."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    if sys.stderr is None:  # closed by the caller
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # escape what a terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        status = app(arguments, prog_name="wordrow", standalone_mode=False)
    except KeyboardInterrupt:
        return _stopped()
    except BrokenPipeError:  # the reader of the output has exited, as `head` does
        sys.stdout = None
        return 0
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}." if error.filename else str(error), 2)
    except MemoryError as error:
        return _failed(f"there is not enough memory for this: {error} Use smaller sizes.", 2)
    except (ValueError, TypeError, ImportError) as error:
        return _failed(str(error), 2)
    except Exception as error:
        # The usage errors of typer, whose classes are not public.
        if not hasattr(error, "format_message"):
            if type(error).__name__ == "Abort":
                return _stopped()
            raise
        message = error.format_message()
        if not message:  # no command: the help was shown
            return 2
        return _failed(f"{message} Try 'wordrow --help'.", 2)
    if status == 130:  # typer's own answer to Ctrl-C
        return _stopped()
    return status if isinstance(status, int) else 0


def _stopped() -> int:
    return _failed("stopped; nothing was written.", 130)


def _failed(message: str, status: int) -> int:
    print(f"wordrow: {' '.join(message.split())}", file=sys.stderr)
    return status
