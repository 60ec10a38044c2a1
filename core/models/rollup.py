"""Counts of the runs that have ended: statistics that outlive the runs."""

from django.db import models

from core.options import MAX_NAME

#: The spans of time that are counted, in seconds: a minute, an hour, a day.
SPANS = (60, 3_600, 86_400)
#: Longer than any count goes on, and never pruned: what only ever grows. The most that
#: the column holds; from 2038 on there are two of them, to be added up.
EVER = 2**31 - 1


class Rollup(models.Model):
    """The runs of one actor in one queue that ended within one span of time."""

    broker = models.CharField(max_length=100)
    span = models.PositiveIntegerField(help_text="Seconds.")
    start = models.DateTimeField()
    queue_name = models.CharField(max_length=MAX_NAME)
    actor_name = models.CharField(max_length=MAX_NAME)
    succeeded = models.PositiveBigIntegerField(default=0)
    dead = models.PositiveBigIntegerField(default=0)
    cancelled = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0, help_text="Failed attempts.")
    waiting = models.JSONField(
        default=dict, help_text="From due to started: bucket -> runs."
    )
    running = models.JSONField(
        default=dict, help_text="From started to finished: bucket -> runs."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["broker", "span", "start", "queue_name", "actor_name"],
                name="core_rollup_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}, {self.span} s from {self.start}"


class RolledUp(models.Model):
    """Until when the ends of a broker alias have been counted, each of them once."""

    broker = models.CharField(primary_key=True, max_length=100)
    until = models.DateTimeField(help_text="Runs that ended before are counted.")

    def __str__(self) -> str:
        return f"{self.broker} until {self.until}"
