"""A million runs: a week of work, and the backlog of the last hour."""

from django.db import connection

#: So many actors, the first ones busier; every fourth shares a queue.
ACTORS = 20
QUEUES = 5
#: Of a hundred runs.
WAITING, DEAD, CANCELLED, RETRIED = 10, 2, 1, 8

_RUNS = """
    INSERT INTO core_run (
        id, broker, actor_name, queue_name, priority, args, kwargs, options, state,
        attempt, retries, crashes, created_at, due_at, relay_at, started_at,
        finished_at, worker, error, unique_running, routed
    )
    SELECT
        gen_random_uuid(), 'default', 'shop.tasks.actor_' || actor,
        'queue_' || actor %% {queues}, n %% 5 - 2,
        jsonb_build_array(n), '{{}}', '{{}}', state, (state <> 'pending')::int,
        (n %% 100 < {retried})::int, 0, at, at, NULL,
        CASE WHEN state <> 'pending' THEN at + wait END,
        CASE WHEN state IN ('succeeded', 'dead', 'cancelled') THEN at + wait + took END,
        CASE WHEN state <> 'pending' THEN 'celery-' || n %% 8 ELSE '' END,
        CASE WHEN state = 'dead' THEN 'RuntimeError: no. ' || n ELSE '' END,
        false, true
    FROM (
        SELECT
            n,
            floor({actors} * random() * random())::int AS actor,
            now() - interval '1 minute' - CASE
                WHEN n > {ended} THEN interval '1 hour' * ({count} - n)
                ELSE interval '7 days' * ({ended} - n)
            END / {ended} AS at,
            interval '1 ms' * exp(random() * 8) AS wait,
            interval '1 ms' * exp(random() * 10) AS took,
            CASE
                WHEN n > {count} - 32 THEN 'running'
                WHEN n > {count} - 100 THEN 'queued'
                WHEN n > {ended} THEN 'pending'
                WHEN n %% 100 < {dead} THEN 'dead'
                WHEN n %% 100 < {dead} + {cancelled} THEN 'cancelled'
                ELSE 'succeeded'
            END AS state
        FROM generate_series(1, {count}) AS n
        OFFSET 0  -- each random number once
    ) AS made
"""
_ATTEMPTS = """
    INSERT INTO core_attempt (
        run_id, number, outcome, worker, started_at, finished_at, error, traceback,
        kind, place, fingerprint
    )
    SELECT
        id, 1, 'failed', worker, started_at, COALESCE(finished_at, now()),
        'RuntimeError: no', repeat('  File "tasks.py", line 1', 20), 'RuntimeError',
        actor_name, substr(md5(actor_name || priority), 1, 16)
    FROM core_run WHERE started_at IS NOT NULL AND (retries > 0 OR state = 'dead')
"""
_WORKERS = """
    INSERT INTO core_worker (
        name, broker, engine, supervisor, host, pid, queues, slots, rate, rss,
        started_at, lease_until
    )
    SELECT 'celery-' || n, 'default', 'celery', '1-abc', 'host', n, '["queue_0"]', 4,
        1.5, 100000000, now(), now() + interval '1 day'
    FROM generate_series(0, 7) AS n
"""


def fill(count: int) -> None:
    """Write so many runs, their failed attempts, and eight workers."""
    figures = {
        "count": count,
        "actors": ACTORS,
        "queues": QUEUES,
        "ended": count * (100 - WAITING) // 100,
        "dead": DEAD,
        "cancelled": CANCELLED,
        "retried": RETRIED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RUNS.format(**figures).replace("%%", "%"))
        cursor.execute(_ATTEMPTS)
        cursor.execute(_WORKERS)
        cursor.execute("VACUUM ANALYZE")
