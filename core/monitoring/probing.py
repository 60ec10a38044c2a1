"""Asking brokers within a deadline: one that is down is an answer, not an exception."""

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Any

#: Most seconds that a page waits for a broker.
DEADLINE = 1.0

#: What has not been answered yet: it is not asked again meanwhile. By process, for
#: nobody answers in a forked child what its parent has asked.
_asked: dict[tuple[int, str], "Future[Any]"] = {}
_lock = threading.Lock()


def ask(
    questions: Mapping[str, Callable[[], Any]], seconds: float = DEADLINE
) -> dict[str, Any]:
    """Ask all at once, by name; return what has answered in time, or its exception.

    What has not, is not in it.
    """
    answers = {name: _ask(name, question) for name, question in questions.items()}
    done, _ = wait(answers.values(), seconds)
    return {
        name: answer.exception() or answer.result()
        for name, answer in answers.items()
        if answer in done
    }


def _ask(name: str, question: Callable[[], Any]) -> "Future[Any]":
    with _lock:
        known = _asked.get((os.getpid(), name))
        if known is not None and not known.done():
            return known
        answer: Future[Any] = Future()
        _asked[(os.getpid(), name)] = answer
        # Not a pool's thread: those are waited for when the process ends.
        thread = threading.Thread(
            target=_find, args=(question, answer), name=name, daemon=True
        )
        thread.start()
    return answer


def _find(question: Callable[[], Any], answer: "Future[Any]") -> None:
    try:
        answer.set_result(question())
    except Exception as error:  # whatever an engine raises: it is the answer
        answer.set_exception(error)
