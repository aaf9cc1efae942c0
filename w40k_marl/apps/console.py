"""Common parts of all command lines of this package: output that
may be lost, signals, errors, exit status.

Exit status 0: done. 1: a negative result (defined by each command), or stdout could not be written.
2: invalid input, one line on stderr. 70: an error inside the program. 128 + N: stopped by signal N,
so 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP. 141: the reader of stdout has left.
"""

from __future__ import annotations

import _thread
import codecs
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from ..errors import W40KError, did_you_mean, printable

DONE, NOT_WRITTEN, BAD_INPUT, INSIDE, BY_SIGNAL, NOBODY_READS = 0, 1, 2, 70, 128, 141
LONGEST_NUMBER = 20  # digits of a setting
LONGEST_SHOWN = 60  # characters
SAME_STOP = 1.0  # seconds: signals so close together are one wish to stop
SEND_AGAIN = 0.05  # seconds
BOXES = {ord(char): "-" for char in "─━═╌╴╶"} | {ord(char): "|" for char in "│┃║"}


class OutputLostError(Exception):
    """Raised if stdout cannot be written any more; ``status`` is the exit status of the command."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class _Command:
    """The state of the command line that runs in this process."""

    lost: OutputLostError | None = None
    signal: int | None = None  # that has stopped it
    signalled: float = 0.0
    held: bool = False
    waiting: bool = False


_command = _Command()


# --- output ------------------------------------------------------------------------------------------------


class Output:
    """stdout for ``say`` and for rich: writes ASCII for characters that its encoding lacks, and
    nothing once it is lost.
    """

    def write(self, text: str) -> int:
        """Write and flush; after the first failure stdout is lost."""
        if _command.lost is None:
            try:
                stream = sys.stdout
                stream.write(text.encode(self.encoding, "w40k_ascii").decode(self.encoding))
                stream.flush()
            except (OSError, ValueError, AttributeError) as error:  # ValueError: closed; AttributeError: None
                _lose(error)
        return len(text)

    def flush(self) -> None:
        """Do nothing: ``write`` flushes."""

    def isatty(self) -> bool:
        """Return True if stdout is a terminal."""
        try:
            return sys.stdout.isatty()
        except (ValueError, AttributeError):
            return False

    @property
    def encoding(self) -> str:
        """The encoding of stdout."""
        return getattr(sys.stdout, "encoding", None) or "utf-8"


OUTPUT = Output()


def say(text: str = "") -> None:
    """Write a line of the program's output; does nothing once stdout is lost, which ``guarded``
    reports at the end.
    """
    OUTPUT.write(printable(text) + "\n")


def note(text: str) -> None:
    """Write a line to stderr that is not output: progress, errors."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(one_line(text))
        sys.stderr.flush()


def one_line(text: str) -> str:
    """Return the text as one line, even if file names in it contain line breaks."""
    return printable(" ".join(text.split())) + "\n"


def output_lost() -> OutputLostError | None:
    """Return the reason why stdout cannot be written any more; None if it can."""
    return _command.lost


def _lose(error: Exception) -> None:
    if isinstance(error, BrokenPipeError):
        _command.lost = OutputLostError("the reader of stdout has left", NOBODY_READS)
    else:
        reason = getattr(error, "strerror", None) or "it is closed"
        _command.lost = OutputLostError(f"stdout cannot be written: {reason}", NOT_WRITTEN)
    with suppress(OSError, ValueError, AttributeError):  # so that Python does not try again when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Replace lines of a table by ``-`` and ``|``, other characters by escapes."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return "".join(BOXES.get(ord(char)) or ascii(char)[1:-1] for char in text), error.end


codecs.register_error("w40k_ascii", _in_ascii)


# --- signals -----------------------------------------------------------------------------------------------


def stopped_by() -> str:
    """Return the name of the signal that has stopped the command, for messages."""
    number = _command.signal
    return "Ctrl-C" if number in (None, signal.SIGINT) else signal.Signals(number).name


def stopped_status() -> int:
    """Return the exit status of a command that a signal has stopped."""
    return BY_SIGNAL + (_command.signal or signal.SIGINT)


@contextmanager
def held() -> Iterator[Callable[[], bool]]:
    """Keep signals from interrupting the block; yields a function that
    returns True if a signal has come since.
    """
    before, _command.held, came = _command.held, True, _command.signalled
    try:
        yield lambda: _command.signalled != came
    finally:
        _command.held = before


@contextmanager
def waiting() -> Iterator[None]:
    """Raise KeyboardInterrupt for each signal in the block, so that another signal ends a wait
    after the first one.
    """
    _command.waiting = True
    try:
        yield
    finally:
        _command.waiting = False


def _on_signal(number: int, _: object) -> None:
    """Raise KeyboardInterrupt, once for several signals that come together."""
    before, _command.signalled = _command.signalled, monotonic()
    _command.signal = _command.signal or number
    again = before and _command.signalled - before < SAME_STOP
    if not _command.held and (_command.waiting or not again):
        raise KeyboardInterrupt


def _on_unraisable(lost: sys.UnraisableHookArgs) -> None:
    """Repeat a signal whose KeyboardInterrupt was raised where
    Python drops exceptions, as in a finalizer.
    """
    if lost.exc_type is KeyboardInterrupt and _command.signal is not None:
        _command.signalled = 0.0
        threading.Timer(SEND_AGAIN, _thread.interrupt_main, [_command.signal]).start()
    else:
        sys.__unraisablehook__(lost)


@contextmanager
def _signals_stop() -> Iterator[None]:
    """Make SIGTERM and SIGHUP act like Ctrl-C, unless they are ignored or handled already."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in numbers}
    ours = [number for number in numbers if before[number] in usual]
    if threading.current_thread() is not threading.main_thread():
        ours = []
    for number in ours:
        signal.signal(number, _on_signal)
    hook = sys.unraisablehook
    if ours:
        sys.unraisablehook = _on_unraisable
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number in ours:
            signal.signal(number, before[number])


# --- commands ----------------------------------------------------------------------------------------------


def read_settings(texts: Iterable[str], known: Mapping[str, int | bool]) -> dict[str, Any]:
    """Read ``name=value`` settings, several in one text separated by commas; a bare name is
    ``name=true``.

    ``known`` holds each name with a value of its type: flags are ``true`` or ``false``, others
    whole numbers. Raises W40KError for an unknown name, a value of another type, or two values for
    one name.
    """
    found: dict[str, int | bool] = {}
    for text in (part.strip() for whole in texts for part in whole.split(",")):
        name, equals, value = (part.strip() for part in text.partition("="))
        if name not in known:
            hint = did_you_mean(name, known)
            raise W40KError(
                f"expected one of {', '.join(known)}, got {shortened(name)}" + (f" ({hint})" if hint else "")
            )
        is_flag = isinstance(known[name], bool)
        if is_flag and value in ("", "true", "false") and bool(equals) == bool(value):
            setting: int | bool = value != "false"
        elif not is_flag and value.isascii() and value.isdigit() and len(value) < LONGEST_NUMBER:
            setting = int(value)
        else:
            kind = f"true or {name}=false" if is_flag else "N, a whole number"
            raise W40KError(f"expected {name}={kind}, got {shortened(text)}")
        if found.setdefault(name, setting) != setting:
            raise W40KError(f"expected one value of {name}, got two")
    return found


def shortened(text: str) -> str:
    """Quote typed text for a message; long text is cut off."""
    return repr(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")


def guarded(program: str, work: Callable[[], int]) -> int:
    """Call ``work`` and return its exit status; an exception becomes one line on stderr.

    Signals that stop a program raise KeyboardInterrupt in ``work``.
    SystemExit of the parser passes through.
    """
    global _command
    _command = _Command()
    _fill_closed_streams()
    with _signals_stop():
        try:
            status = work()
        except OutputLostError as lost:
            _command.lost = lost
            status = DONE if _command.signal is None else stopped_status()
        except SystemExit:
            if _command.lost is None:
                raise
            status = DONE
        except KeyboardInterrupt:
            with held():
                by = "" if stopped_by() == "Ctrl-C" else f" by {stopped_by()}"
                note(f"{program}: stopped{by}")
            status = stopped_status()
        except Exception as error:
            status = _refused(program, error)
        with held():
            status = _ended(program, status)
            _command = _Command()
    return status


def _refused(program: str, error: Exception) -> int:
    """Report an error in one line; return the exit status."""
    if isinstance(error, W40KError):
        note(f"{program}: {error}")
        return BAD_INPUT
    if isinstance(error, MemoryError):
        note(f"{program}: not enough memory{f': {error}' if str(error) else ''}")
        return BAD_INPUT
    if isinstance(error, OSError):
        gone = isinstance(error, FileNotFoundError) and error.filename is None  # of os.getcwd()
        where = "the current folder: " if gone else f"{error.filename}: " if error.filename is not None else ""
        note(f"{program}: {where}{error.strerror or error}")
        return BAD_INPUT
    if sys.flags.dev_mode:
        traceback.print_exception(error)
    note(f"{program}: an error inside the program, {described(error)}; python -X dev shows its traceback")
    return INSIDE


def described(error: BaseException) -> str:
    """Describe an exception of other packages, with the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    if isinstance(error, SyntaxError):
        where = ""  # the message names the line
    return f"{type(error).__name__}: {error}{where}"


def _ended(program: str, status: int) -> int:
    """Return the final exit status: not that of success if output was lost."""
    lost = _command.lost
    if lost is None:
        return status
    note(f"{program}: {lost}")
    return lost.status if status == DONE else status


def _fill_closed_streams() -> None:
    """Open closed ones of stdin, stdout and stderr, so that no file
    that is opened later gets their numbers.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
