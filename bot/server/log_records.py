"""Makes log records, warnings and tracebacks that hold no words: nobody's question, token, address or document.

What libraries log is theirs to word, and they put whole requests into it. Of their records only what stands as a
constant in the code that logged it is kept, so whichever handler a record reaches, no value is left in it.
"""

import inspect
import logging
import os
import sys
import threading
import traceback
import warnings
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

# Our own packages: their messages are looked after where they are written.
OWN_PACKAGES = ("bot", "retrieval", "feedback")
MOST_FRAMES = 60
NOT_LOGGED = "what {}:{} says is not logged"

logger = logging.getLogger(__name__)


class WordlessRecord(logging.LogRecord):
    """A record whose message and traceback hold no words, as described above.

    `error_class` is the name of the class of the error that was logged with it, empty for none; its traceback without
    words is in `exc_text`, where every formatter looks for it.
    """

    def __init__(  # noqa: PLR0917 - the order is that of `logging`
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        *_: Any,
        **more: Any,
    ) -> None:
        if is_own(name):
            args = tuple(map(_safe_argument, args)) if isinstance(args, tuple) else args
        else:
            code = _calling_code(pathname, func)
            msg, args = (msg if _is_constant(msg, code) else NOT_LOGGED.format(Path(pathname).name, lineno)), ()
        super().__init__(name, level, pathname, lineno, msg, args, None, func, None, **more)
        error = exc_info[1] if isinstance(exc_info, tuple) else None
        self.error_class = type(error).__name__ if error else ""
        self.exc_text = format_error(error) if error else None


def install() -> None:
    """Have every logger of this process make such records, and log warnings; a second time changes nothing."""
    logging.setLogRecordFactory(WordlessRecord)
    warnings.showwarning = _log_warning


def install_hooks() -> None:
    """Log what ends the process or a thread, or is raised where nobody can catch it, without words."""
    sys.excepthook = lambda _, error, __: _log_uncaught(error)
    sys.unraisablehook = lambda found: _log_uncaught(found.exc_value)
    threading.excepthook = lambda found: _log_uncaught(found.exc_value)


def is_own(name: str | None) -> bool:
    """Whether a logger or module of this name is one of ours."""
    return (name or "").partition(".")[0] in OWN_PACKAGES


def describe_error(error: BaseException) -> str:
    """Return an error's class, and its text where that holds no words: our own, the system's, or a constant."""
    name = type(error).__name__
    if is_own(type(error).__module__):
        return f"{name}: {error}"
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"{name}: {os.strerror(error.errno)}"
    text = error.args[0] if len(error.args) == 1 else None
    return f"{name}: {text}" if _is_constant(text, _raising_code(error.__traceback__)) else name


def format_error(error: BaseException) -> str:
    """Return an error and those that led to it, with the lines of code that they passed, and no values."""
    parts: list[str] = []
    known: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in known:
        known.add(id(current))
        frames = traceback.format_tb(current.__traceback__, limit=-MOST_FRAMES)
        parts.append("".join([*frames, describe_error(current)]))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\nwhich led to:\n".join(reversed(parts))


def _safe_argument(value: object) -> object:
    """Return an argument of our own message; of an error that is not ours only what may be told."""
    if not isinstance(value, BaseException) or is_own(type(value).__module__):
        return value
    return describe_error(value)


def _log_uncaught(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        logger.error("an error was caught by nobody", exc_info=error)


def _log_warning(  # noqa: PLR0917 - the order is that of `warnings`
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    """Log that Python or a library warns, and where; its words may hold values."""
    logger.warning("%s at %s:%d", category.__name__, Path(filename).name, lineno)


def _calling_code(pathname: str, function: str | None) -> CodeType | None:
    """Return the code that is logging just now; None where it is not on the stack."""
    frame = inspect.currentframe()
    while frame and (frame.f_code.co_filename, frame.f_code.co_name) != (pathname, function):
        frame = frame.f_back
    return frame.f_code if frame else None


def _raising_code(trace: TracebackType | None) -> CodeType | None:
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace.tb_frame.f_code if trace else None


def _is_constant(text: object, code: CodeType | None) -> bool:
    return isinstance(text, str) and code is not None and text in code.co_consts
