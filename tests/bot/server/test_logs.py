"""Lines of the log: one each, with the request, without what was asked."""

import json
import logging
import threading
from collections.abc import Iterator

import pytest

from bot.server import logs

logger = logging.getLogger("bot.somewhere")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The configuration of the process is left as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.OWN_PACKAGES}
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
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
        raise ValueError("what was asked: hunter2")
    except ValueError:
        logger.exception("attempt %d failed", 1)
    (line,) = capsys.readouterr().err.splitlines()
    assert "attempt 1 failed" in line
    assert "ValueError" in line
    assert "hunter2" not in line
    kept = tmp_path / "state" / "errors.log"
    assert "hunter2" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_without_an_incident_no_file_is_made(tmp_path):
    logs.configure("text", incidents=tmp_path / "errors.log")
    logger.error("plain")
    assert not (tmp_path / "errors.log").exists()
