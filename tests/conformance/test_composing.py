"""Pipelines and groups."""

import pytest
from django.db import transaction

from core import Message, UnknownRun, control, group, pipeline
from tests.conformance.composed_tasks import add, fail, total, write_down
from tests.conformance.models import Effect
from tests.conformance.stacks import Stack, effects, open_gate
from tests.conformance.tasks import note
from tests.services.waiting import wait_for


def said(key: str) -> list[str]:
    found = Effect.objects.filter(key__startswith=key).order_by("pk")
    return [effect.key.removeprefix(f"{key}/") for effect in found]


def on(stack: Stack, actor, *args, **options) -> Message:
    return actor.message_with_options(args=args, broker=stack.alias, **options)


def test_each_step_gets_the_result_of_the_one_before(stack: Stack, key: str) -> None:
    line = on(stack, add, 1, 2) | on(stack, add, 10) | on(stack, write_down, key)
    assert stack.finish(line.run().messages[-1]) == "succeeded"
    assert said(key) == ["[13]"]
    assert list(line.get_results()) == [3, 13, f"{key}/[13]"]


def test_step_that_ignores_the_pipe_gets_its_own_arguments(
    stack: Stack, key: str
) -> None:
    last = on(stack, write_down, key, "own", pipe_ignore=True)
    pipeline([on(stack, add, 1, 2), last]).run()
    assert stack.finish(last) == "succeeded"
    assert said(key) == ['["own"]']


def test_rest_is_cancelled_after_a_dead_step(stack: Stack, key: str) -> None:
    first, second, last = (on(stack, fail, key) for _ in range(3))
    pipeline([first, second, last]).run()
    assert stack.finish(first) == "dead"
    assert (second.status(), last.status()) == ("cancelled", "cancelled")


def test_requeued_step_brings_the_rest_back(stack: Stack, key: str) -> None:
    first, last = on(stack, fail, key), on(stack, write_down, f"{key}/last")
    pipeline([first, on(stack, write_down, f"{key}/between"), last]).run()
    assert (stack.finish(first), last.status()) == ("dead", "cancelled")
    open_gate(key)
    assert control.requeue([first.message_id], by="ops") == 1
    assert stack.finish(last) == "succeeded"


def test_group_is_followed_by_its_callback_once(stack: Stack, key: str) -> None:
    after = on(stack, note, f"{key}/after")
    group(on(stack, note, key) for _ in range(20)).then(after).run()
    assert stack.finish(after) == "succeeded"
    assert (effects(key), effects(f"{key}/after")) == (20, 1)


def test_callback_can_be_given_the_results_in_order(stack: Stack, key: str) -> None:
    after = on(stack, write_down, key)
    members = group(on(stack, add, n, 0) for n in range(12))
    members.then(after, pass_results=True).run()
    assert stack.finish(after) == "succeeded"
    assert said(key) == [str([list(range(12))])]
    assert list(members.get_results()) == list(range(12))


def test_callback_of_a_success_is_cancelled_when_a_member_is_dead(
    stack: Stack, key: str
) -> None:
    after = on(stack, note, f"{key}/after")
    bad = on(stack, fail, key)
    group([on(stack, add, 1, 2), bad]).then(after).run()
    assert stack.finish(after) == "cancelled"
    assert bad.status() == "dead"


def test_callback_of_the_end_runs_whatever_became_of_the_members(
    stack: Stack, key: str
) -> None:
    after = on(stack, write_down, f"{key}/after")
    cancelled = on(stack, add, 1, 2, delay=600_000)
    members = group([on(stack, add, 1, 2), on(stack, fail, key), cancelled])
    members.then(after, on="end", pass_results=True).run()
    cancelled.cancel()
    assert stack.finish(after) == "succeeded"
    assert said(f"{key}/after") == ["[[3, null, null]]"]


def test_group_can_be_a_step_of_a_pipeline(stack: Stack, key: str) -> None:
    side_by_side = group([on(stack, add, 10), on(stack, add, 20)])
    line = pipeline(
        [on(stack, add, 1, 2), side_by_side, on(stack, total), on(stack, add, 100)]
    ).run()
    assert stack.finish(line.messages[-1]) == "succeeded"
    assert line.get_result() == 136


def test_pipeline_can_be_a_member_of_a_group(stack: Stack, key: str) -> None:
    after = on(stack, total)
    lines = [on(stack, add, n, 0) | on(stack, add, 1) for n in range(5)]
    group(lines).then(after, pass_results=True).run()
    assert stack.finish(after) == "succeeded"
    assert after.get_result() == sum(range(1, 6))


def test_dead_step_inside_a_group_ends_the_group(stack: Stack, key: str) -> None:
    after = on(stack, note, f"{key}/after")
    line = on(stack, fail, key) | on(stack, add, 2) | on(stack, add, 3)
    group([line, on(stack, add, 1, 2)]).then(after, on="end").run()
    assert stack.finish(after) == "succeeded"


def test_rolled_back_composition_leaves_nothing(stack: Stack, key: str) -> None:
    members = group(on(stack, note, key) for _ in range(3))
    after = on(stack, note, key)
    with pytest.raises(KeyError), transaction.atomic():
        members.then(after).run()
        raise KeyError
    assert stack.finish(stack.send(note, f"{key}/later")) == "succeeded"
    assert effects(key) == 0
    with pytest.raises(UnknownRun):
        after.status()


def test_cancelled_step_cancels_what_waits_for_it(stack: Stack, key: str) -> None:
    first = on(stack, add, 1, 2, delay=600_000)
    line = (first | on(stack, note, key, pipe_ignore=True)).run()
    assert first.cancel()
    assert line.messages[-1].status() == "cancelled"


def test_step_with_a_delay_waits_after_the_one_before(stack: Stack, key: str) -> None:
    last = on(stack, note, key, delay=1500, pipe_ignore=True)
    (on(stack, add, 1, 2) | last).run()
    wait_for(lambda: last.status() in ("pending", "queued"))
    assert stack.finish(last) == "succeeded"
    first_end = stack.broker.find(last.message_id)
    before = stack.broker.find(str(first_end.after))
    assert (first_end.started_at - before.finished_at).total_seconds() >= 1.4
