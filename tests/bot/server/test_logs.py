"""Lines of the log: one each, with the request, without what was asked."""

import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from bot.server import log_records, logs

logger = logging.getLogger("bot.somewhere")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The configuration of the process is left as it was."""
    root, factory = logging.getLogger(), logging.getLogRecordFactory()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in log_records.OWN_PACKAGES}
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning
    yield
    sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning = hooks
    logging.setLogRecordFactory(factory)
    logging.raiseExceptions = True
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)


def test_a_line_of_json_holds_the_request_and_what_was_given_with_it(capsys, tmp_path):
    logs.configure("json", incidents=tmp_path / "errors.log")
    with logs.request_context("slack:Ev1"):
        logger.info("answered %d", 3, extra={"seconds": 0.5})
    logger.debug("unseen")
    (line,) = capsys.readouterr().err.splitlines()
    row = json.loads(line)
    assert row.pop("time").endswith("Z")
    expected = {"level": "info", "logger": "bot.somewhere", "message": "answered 3", "request": "slack:Ev1"}
    assert row == {**expected, "seconds": 0.5}


def test_what_other_packages_say_is_heard_from_warnings_on(capsys, tmp_path):
    logs.configure("text", incidents=tmp_path / "errors.log")
    logging.getLogger("somebody.elses").info("three connections are open")
    logging.getLogger("somebody.elses").warning("the certificate has expired")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("warning somebody.elses: the certificate has expired")


def test_a_line_for_people_is_one_line_whatever_is_in_it(capsys, tmp_path):
    logs.configure("text", incidents=tmp_path / "errors.log")
    with logs.request_context("slack:Ev1\x1b[31m"):
        logger.warning("a\nb\x1b]0;c\x07")
    (line,) = capsys.readouterr().err.splitlines()
    assert "\x1b" not in line
    assert line.endswith("warning bot.somewhere [slack:Ev1 [31m]: a b ]0;c ")


def test_a_request_is_its_own_thread_s(capsys, tmp_path):
    logs.configure("json", incidents=tmp_path / "errors.log")
    with logs.request_context("slack:Ev1"):
        other = threading.Thread(target=lambda: logger.info("elsewhere"))
        other.start()
        other.join()
    logger.info("after")
    assert all("request" not in json.loads(line) for line in capsys.readouterr().err.splitlines())


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_goes_into_a_file_that_is_its_owner_s_alone(form, capsys, tmp_path):
    logs.configure(form, incidents=tmp_path / "state" / "errors.log")
    try:
        int("hunter2")
    except ValueError:
        logger.exception("attempt %d failed", 1)
    (line,) = capsys.readouterr().err.splitlines()
    assert "attempt 1 failed" in line
    assert "ValueError" in line
    assert "hunter2" not in line
    kept = tmp_path / "state" / "errors.log"
    assert 'int("hunter2")' in kept.read_text(), "the code, and no value"
    assert "with base 10" not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_without_an_incident_no_file_is_made(tmp_path):
    logs.configure("text", incidents=tmp_path / "errors.log")
    logger.error("plain")
    assert not (tmp_path / "errors.log").exists()


def test_a_line_that_repeats_is_written_once_in_a_while_with_how_often_it_came(capsys, tmp_path):
    now = 0.0
    repeats = logs.RepeatFilter(60, clock=lambda: now)
    logs.configure("text", incidents=tmp_path / "errors.log")
    handler = logging.getLogger().handlers[0]
    handler.filters[:] = [repeats]
    for now in (0.0, 1.0, 59.0, 61.0):
        logger.warning("refused")
        logger.warning("refused %d", now)
    lines = [line.partition(" bot.somewhere: ")[2] for line in capsys.readouterr().err.splitlines()]
    assert [line for line in lines if not line.startswith("refused ") or "(" in line] == [
        "refused",
        "refused (2 more like this)",
    ]
    assert [line for line in lines if line[-1:].isdigit()] == ["refused 0", "refused 1", "refused 59", "refused 61"]


def test_equal_lines_of_other_requests_are_written_too_and_few_are_remembered(capsys, tmp_path):
    logs.configure("json", incidents=tmp_path / "errors.log")
    for number in range(logs.MOST_LINES + 10):
        with logs.request_context(f"slack:{number}"):
            logger.info("answered")
    assert len(capsys.readouterr().err.splitlines()) == logs.MOST_LINES + 10


def test_the_name_of_a_request_tells_nothing_of_its_event():
    name = logs.request_name("slack", "erase:T1:U0HUNTER2:1.5")
    assert name == logs.request_name("slack", "erase:T1:U0HUNTER2:1.5")
    assert name != logs.request_name("slack", "erase:T1:U0HUNTER2:1.6")
    assert "HUNTER2" not in name.upper()
