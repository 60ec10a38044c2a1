"""A line of the log says which run it is of, whatever is in it."""

import json
import logging
import shlex
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from core import actor, current_run
from core.logs import JsonFormatter, KeyValueFormatter, RunFilter

library = logging.getLogger("somebody.elses.library")


class Redact(logging.Filter):
    """What a project puts before the formatter: the one place where words go."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage().replace("s3cret", "***"), None
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            record.exc_text = text.replace("s3cret", "***")
        return True


@pytest.fixture
def handler(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The root logger's handler, with the formatter of the test."""
    handler = logging.StreamHandler(StringIO())
    handler.setFormatter(getattr(request, "param", JsonFormatter)())
    handler.addFilter(RunFilter())
    logging.getLogger().addHandler(handler)
    library.setLevel("INFO")
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def written(handler: Any) -> StringIO:
    return handler.stream


def read(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@actor(actor_name="test.logs.talker", queue_name="talking")
def talk(words: str) -> None:
    library.info("Said %s.", words)


@actor(actor_name="test.logs.async-talker")
async def talk_later(words: str) -> None:
    library.info("Said %s.", words)


@actor(actor_name="test.logs.stumbler", max_retries=0)
def stumble() -> None:
    raise ValueError("a stone")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("speaker", "queue"), [(talk, "talking"), (talk_later, "default")]
)
def test_record_of_a_library_in_a_body_says_which_run(
    written: StringIO, speaker: Any, queue: str
) -> None:
    message = speaker.send("hello")
    (line,) = [line for line in read(written) if line["logger"] == library.name]
    assert line["message"] == "Said hello."
    assert line["run_id"] == message.message_id
    assert (line["actor"], line["queue"]) == (speaker.actor_name, queue)
    assert line["attempt"] == 1


@pytest.mark.django_db(transaction=True)
def test_record_of_how_an_attempt_ended_says_which_run(written: StringIO) -> None:
    message = stumble.send()
    (line,) = [line for line in read(written) if line["level"] == "ERROR"]
    assert (line["run_id"], line["attempt"]) == (message.message_id, 1)


def test_record_outside_of_a_run_says_nothing_of_one(written: StringIO) -> None:
    assert current_run() is None
    library.info("Alone.")
    (line,) = read(written)
    assert sorted(line) == ["level", "logger", "message", "time"]


def test_extra_log_fields_are_kept_and_override_none(written: StringIO) -> None:
    library.info("Sold.", extra={"order": 7, "level": "gold"})
    (line,) = read(written)
    assert (line["order"], line["level_"], line["level"]) == (7, "gold", "INFO")


@pytest.mark.parametrize(
    "value", ["a\nb", "\ud800", {(1, 2): 3}, object(), float("inf"), "你好 =", ""]
)
def test_line_is_one_line_of_json_whatever_is_in_it(
    handler: Any, written: StringIO, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Past pytest, whose processes cannot tell each other of a lone surrogate.
    monkeypatch.setattr(library, "propagate", False)
    monkeypatch.setattr(library, "handlers", [handler])
    library.info("%s", value, extra={"given": value})
    written.getvalue().encode()
    (line,) = read(written)
    assert line["level"] == "INFO"


@pytest.mark.parametrize("handler", [KeyValueFormatter], indirect=True)
def test_key_value_quotes_what_it_must(written: StringIO) -> None:
    library.info('Two\nlines, "quoted".', extra={"order": 7, "note": "a=b"})
    (line,) = written.getvalue().splitlines()
    told = dict(word.split("=", 1) for word in shlex.split(line))
    assert told["message"].replace("\\n", "\n") == 'Two\nlines, "quoted".'
    assert (told["order"], told["note"], told["level"]) == ("7", "a=b", "INFO")
    assert "order=7" in line.split()


@pytest.mark.parametrize("handler", [JsonFormatter, KeyValueFormatter], indirect=True)
def test_filter_that_redacts_has_the_last_word(handler: Any) -> None:
    handler.addFilter(Redact())
    try:
        raise ValueError("the key is s3cret")
    except ValueError:
        library.exception("Failed with %s.", "s3cret")
    assert "s3cret" not in handler.stream.getvalue()
    assert handler.stream.getvalue().count("***") == 3
    assert "ValueError" in handler.stream.getvalue()
