"""100,000 wait for one slow worker: hardly one is sent twice, the broker is shallow."""

import time

import psycopg

from tests.faults.brokers import waiting
from tests.faults.judge import everything_ends, judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting

SIZE = Size(orders=100_000, few=2000)
#: A message that was published, not started, and taken back to be published again.
WATCH = """
    CREATE TABLE resent (id uuid);
    CREATE FUNCTION note_resent() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO resent VALUES (NEW.id); RETURN NULL; END $$;
    CREATE TRIGGER resent AFTER UPDATE ON core_run FOR EACH ROW
        WHEN (OLD.state = 'queued' AND NEW.state = 'pending'
              AND OLD.attempt = NEW.attempt)
        EXECUTE FUNCTION note_resent();
"""
FILL = """
from core import send_many
from tests.faults.tasks import slow
for _ in range({batches}):
    send_many([slow.message(0.25) for _ in range(1000)])
"""
EMPTY = """
from core import control
from core.models import Run
while ids := list(Run.objects.filter(state__in=("pending", "queued"))
                  .values_list("pk", flat=True)[:5000]):
    control.cancel([str(pk) for pk in ids], by="ops")
"""
SLOTS = 2


def run(rig: Rig) -> None:
    with psycopg.connect(rig.books.url) as connection:
        connection.execute(WATCH)
    crew = rig.work(processes=1, threads=SLOTS)
    rig.manage("shell", "-c", FILL.format(batches=rig.orders // 1000))
    deepest, ends = 0, time.monotonic() + lasting(180, 15)
    while time.monotonic() < ends:
        deepest = max(deepest, waiting(rig))
        time.sleep(0.2)
    resent = rig.books.number("SELECT count(*) FROM resent")
    started = rig.books.number("SELECT count(*) FROM core_run WHERE attempt > 0")
    rig.measured |= {"deepest": deepest, "resent": resent, "started": started}
    assert started > 0
    assert resent <= rig.orders / 1000
    # Twice its slots, or what it starts in five seconds; and what it holds itself.
    assert deepest <= max(2 * SLOTS, 5 * SLOTS * 4) + 2 * SLOTS
    rig.manage("shell", "-c", EMPTY)
    everything_ends(rig, 30)
    rig.order(seconds=1, orders=5).finish()
    judge(rig, 30, cancelled=rig.books.states()["cancelled"])
    assert crew.is_whole()
