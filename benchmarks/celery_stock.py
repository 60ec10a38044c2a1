"""Stock Celery: its defaults, late acknowledgement, no results."""

from celery import Celery

from benchmarks import body, sending

app = Celery("bench", broker=body.URL)
app.conf.update(task_ignore_result=True, task_acks_late=True)


@app.task(name="bench.bump")
def bump() -> None:
    """Count one message as done."""
    body.bump()


if __name__ == "__main__":
    sending.run(bump.delay)
