"""Commands whose options are declared once: argparse parses and
explains them from the fields of a dataclass.

The type of a field defines the values of its option: ``bool`` is a flag, ``int`` and ``float`` are
numbers, ``str`` a text, ``Literal`` one of its values, ``tuple[str, ...]`` a text for each use of
the option, ``tuple[int, ...]`` numbers separated by commas. ``X | None`` is read as ``X``.
"""

from __future__ import annotations

import argparse
import atexit
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from ..content.files import read_file
from ..errors import W40KError
from ..files import write_file
from .console import BAD_INPUT, OUTPUT, guarded, one_line, shortened

LARGEST_SEED = 2**63 - 1  # of a game

Options = TypeVar("Options")


class OptionError(W40KError):
    """Raised for an option that cannot be used; the message
    begins with its name on the command line.
    """


# --- declarations ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value of a number; ``text``
    replaces the exceeded bound in errors.
    """

    least: float
    greatest: float
    text: str | None = None

    def check(self, name: str, value: float) -> None:
        """Raise OptionError if the value of the option ``name`` is out of bounds."""
        if not self.least <= value <= self.greatest:
            exceeded = f"at least {self.least}" if value < self.least else f"at most {self.greatest}"
            got = f"{value:g}" if isinstance(value, float) else _short_number(value)
            raise OptionError(f"{flag(name)}: expected {self.text or exceeded}, got {got}")


SEED = Bounds(0, LARGEST_SEED, f"0 to {LARGEST_SEED}")


@dataclass(frozen=True, slots=True)
class _Declared:
    """The declaration of a field's option, except type and default."""

    help: str
    metavar: str | None
    group: str | None
    bounds: Bounds | None
    short: str | None
    one_of: str | None
    reads_file: bool


def option(
    help: str,  # noqa: A002  # the name of argparse
    default: Any = None,
    *,
    metavar: str | None = None,
    group: str | None = None,
    bounds: Bounds | None = None,
    short: str | None = None,
    one_of: str | None = None,
    reads_file: bool = False,
) -> Any:
    """Declare a field that is an option of the command line: ``max_turns`` is ``--max-turns``.

    ``group``: heading in the help. ``short``: a second spelling, ``-q``. ``one_of``: options with
    the same name here exclude each other. ``reads_file``: the value names a file; a pipe is copied
    (``lasting_file``).
    """
    declared = _Declared(help, metavar, group, bounds, short, one_of, reads_file)
    return field(default=default, metadata={"declared": declared})


def argument(help: str, metavar: str) -> Any:  # noqa: A002
    """Declare a field that is a positional argument; one of type
    ``tuple[str, ...]`` takes one or more.
    """
    return field(metadata={"declared": _Declared(help, metavar, None, None, None, None, False)})


def check_options(options: Any) -> None:
    """Check bounds and choices of a dataclass of options, which may come from code.

    Raises OptionError for the first value that is out of bounds or not among the choices.
    """
    hints = get_type_hints(type(options))
    for one in fields(options):
        value, bounds, hint = getattr(options, one.name), _declared(one).bounds, _plain(hints[one.name])
        if value is None:
            continue
        if bounds is not None:
            for number in value if isinstance(value, tuple) else (value,):
                bounds.check(one.name, number)
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        if choices and value not in choices:
            raise OptionError(f"{flag(one.name)}: expected {' or '.join(map(str, choices))}, got {value!r}")


def flag(name: str) -> str:
    """Return the name of an option on the command line: ``--macro-player`` for ``macro_player``."""
    return "--" + name.replace("_", "-")


@contextmanager
def option_named(name: str) -> Iterator[None]:
    """Raise a W40KError of the block as an OptionError whose message begins with the option."""
    try:
        yield
    except W40KError as error:
        raise OptionError(f"{flag(name)}: {error}") from None


# --- commands ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Command(Generic[Options]):
    """A command: ``run`` takes an instance of ``options`` and returns the exit status.

    The first line of ``description`` is its line in the list of commands; ``examples`` write the
    program as ``%(prog)s``.
    """

    name: str
    options: type[Options]
    run: Callable[[Options], int]
    description: str
    examples: str


class OneLineParser(argparse.ArgumentParser):
    """A parser that keeps line breaks in its help and reports
    errors in one line, without the usage.
    """

    def __init__(self, *args: object, **settings: object) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        settings.setdefault("allow_abbrev", False)
        super().__init__(*args, **settings)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Print the error and how to get help in one line; exit with status 2."""
        self.exit(BAD_INPUT, one_line(f"{self.prog}: {message} (--help shows every option)"))

    def _print_message(self, message: str, file: Any = None) -> None:
        """Write help and version to ``OUTPUT``, like all other output."""
        if file is sys.stdout:
            OUTPUT.write(message)
        else:
            super()._print_message(message, file)


def parser_of(command: Command[Any], program: str, typed: str) -> OneLineParser:
    """Return the parser of a program that has one command; its examples begin with ``typed``."""
    examples = command.examples.replace("%(prog)s", typed)
    parser = OneLineParser(prog=program, description=command.description, epilog=examples)
    _add_options(parser, command)
    return parser


def add_commands(parser: OneLineParser, commands: Sequence[Command[Any]]) -> None:
    """Make each command a subcommand of a parser."""
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in commands:
        text, examples = command.description, command.examples
        _add_options(
            parsers.add_parser(command.name, help=text.splitlines()[0], description=text, epilog=examples), command
        )


def run_command(parser: OneLineParser, words: Sequence[str], program: str) -> int:
    """Parse a command line and run its command; return the exit
    status. Error messages begin with ``program``.
    """

    def work() -> int:
        given = vars(parser.parse_args(words))
        command: Command[Any] = given.pop("command")
        return command.run(_options(command.options, given))

    return guarded(program, work)


def _options(kind: type[Options], given: dict[str, Any]) -> Options:
    """Return the given options, and the defaults of the others. Raises OptionError or OSError if
    one cannot be used.
    """
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    for one in fields(kind):  # type: ignore[arg-type]
        if _declared(one).reads_file and one.name in given:
            value = given[one.name]
            with option_named(one.name):
                several = isinstance(value, tuple)
                given[one.name] = tuple(map(lasting_file, value)) if several else lasting_file(value)
    return kind(**given)


def _add_options(parser: Any, command: Command[Any]) -> None:
    """Declare the options of a command; an option that is not given is not in the namespace: the
    dataclass has defaults.
    """
    parser.set_defaults(command=command)
    hints, groups = get_type_hints(command.options), dict[str, Any]()
    for one in fields(command.options):
        declared, settings, target = _declared(one), _settings(_plain(hints[one.name])), parser
        if declared.group is not None:
            target = groups.get(declared.group) or parser.add_argument_group(declared.group)
            groups[declared.group] = target
        if declared.one_of is not None:
            target = groups.get(declared.one_of) or target.add_mutually_exclusive_group()
            groups[declared.one_of] = target
        if declared.metavar is not None:
            settings["metavar"] = declared.metavar
        if one.default is not MISSING:
            names = [flag(one.name), *([declared.short] if declared.short else ())]
            target.add_argument(*names, dest=one.name, default=argparse.SUPPRESS, help=declared.help, **settings)
        else:
            several = {"nargs": "+"} if settings.pop("action", None) else {}
            target.add_argument(one.name, help=declared.help, **settings, **several)


def _declared(one: Any) -> _Declared:
    declared: _Declared = one.metadata["declared"]
    return declared


def _plain(hint: Any) -> Any:
    """Return ``X`` for ``X | None``."""
    alternatives = get_args(hint)
    return next(one for one in alternatives if one is not type(None)) if type(None) in alternatives else hint


def _settings(hint: Any) -> dict[str, Any]:
    """Return the arguments with which argparse reads values of a type."""
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        return {"choices": choices, **({"type": _whole} if isinstance(choices[0], int) else {})}
    return dict(_READ[hint])


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {shortened(text)}") from None


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected seconds, got {shortened(text)}") from None


_READ: dict[Any, dict[str, Any]] = {
    bool: {"action": "store_true"},
    int: {"type": _whole},
    float: {"type": _seconds},
    str: {},
    tuple[str, ...]: {"action": "append"},
    tuple[int, ...]: {"type": lambda text: tuple(_whole(one) for one in text.split(","))},
}


def _short_number(value: float) -> str:
    return str(value) if abs(value) < 10**30 else "a number of more than 30 digits"


# --- files -------------------------------------------------------------------------------------------------


def lasting_file(name: str) -> str:
    """Return the name of a file to read; for a pipe, which can be read only once, that of a copy,
    deleted at exit.

    ``simulate --scenario-file <(generate)`` reads its scenario in every worker, and hashes it for
    the report. Raises ContentError for a pipe that cannot be read or has no writer, FileError or
    OSError if the copy cannot be written.
    """
    try:
        is_pipe = Path(name).is_fifo()
    except (OSError, ValueError):  # not a path: reading it will fail
        is_pipe = False
    if not is_pipe:
        return name
    content = read_file(Path(name))
    folder = tempfile.mkdtemp(prefix="w40k_marl-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = Path(folder) / f"{Path(name).stem}.json"
    return str(write_file(copy, content, replace=False))
