"""A module as one writes it for Dramatiq, with nothing of ours in it."""

import dramatiq

#: What happened, in words.
seen = []


class Journal(dramatiq.Middleware):
    """Notes which messages were processed, if their actor wants that."""

    @property
    def actor_options(self):
        return {"journal"}

    def before_process_message(self, broker, message):
        if broker.get_actor(message.actor_name).options.get("journal"):
            seen.append(f"before {message.actor_name}{tuple(message.args)}")

    def after_process_message(self, broker, message, *, result=None, exception=None):
        if broker.get_actor(message.actor_name).options.get("journal"):
            outcome = repr(exception) if exception else result
            seen.append(f"after {message.actor_name}: {outcome}")


@dramatiq.actor(actor_name="count_words", store_results=True, journal=True)
def count_words(text):
    return len(text.split())


@dramatiq.actor(actor_name="square", store_results=True)
def square(number):
    return number * number


@dramatiq.actor(actor_name="add", store_results=True)
def add(first, second):
    return first + second


@dramatiq.actor(actor_name="notify", queue_name="mail", priority=10)
def notify(name, *, greeting="Hello"):
    seen.append(f"{greeting} {name}")


tries = []


@dramatiq.actor(actor_name="unsteady", max_retries=3, min_backoff=0, max_backoff=0)
def unsteady(limit):
    tries.append(limit)
    if len(tries) < limit:
        raise RuntimeError("not yet")
    seen.append(f"steady after {len(tries)}")


@dramatiq.actor(actor_name="told_of_success")
def told_of_success(message, result):
    seen.append(f"success of {message['actor_name']}{tuple(message['args'])}: {result}")


@dramatiq.actor(actor_name="told_of_failure")
def told_of_failure(message, error):
    seen.append(f"failure of {message['actor_name']}: {error['type']}")


@dramatiq.actor(actor_name="impossible", throws=ZeroDivisionError)
def impossible(number):
    return number / 0


@dramatiq.actor(
    actor_name="picky",
    retry_when=lambda retries, exception: retries < 1,
    min_backoff=0,
    max_backoff=0,
)
def picky():
    seen.append("picky")
    raise ValueError("never")


@dramatiq.actor(actor_name="hasty", time_limit=60_000, max_age=3_600_000)
def hasty():
    seen.append("hasty")


def run(settled):
    """Use everything; `settled` returns when nothing is left to be done."""
    seen.append(f"directly {count_words('one two three')}")
    message = count_words.send("four words in here")
    settled()
    seen.append(f"result {message.get_result(block=True, timeout=5_000)}")

    notify.send("Ann", greeting="Dear")
    settled()
    notify.send_with_options(args=("Bob",), delay=10)
    settled()
    hasty.send()
    settled()

    unsteady.send(3)
    settled()
    picky.send()
    settled()

    square.send_with_options(args=(4,), on_success=told_of_success)
    settled()
    impossible.send_with_options(args=(1,), on_failure=told_of_failure)
    settled()

    line = dramatiq.pipeline([square.message(3), add.message(1), square.message()])
    line.run()
    settled()
    seen.append(f"pipeline {line.get_result(block=True, timeout=5_000)}")
    seen.append(f"each {list(line.get_results(block=True, timeout=5_000))}")
    seen.append(f"completed {line.completed} {line.completed_count} of {len(line)}")

    joined = square.message(2) | add.message(6)
    joined.run()
    settled()
    seen.append(f"joined {joined.get_result(block=True, timeout=5_000)}")

    apart = square.message(2) | add.message_with_options(args=(5, 6), pipe_ignore=True)
    apart.run()
    settled()
    seen.append(f"apart {apart.get_result(block=True, timeout=5_000)}")

    side_by_side = dramatiq.group(square.message(n) for n in range(4))
    side_by_side.add_completion_callback(notify.message("everyone"))
    side_by_side.run()
    settled()
    squares = list(side_by_side.get_results(block=True, timeout=5_000))
    seen.append(f"group {squares} {side_by_side.completed} of {len(side_by_side)}")
