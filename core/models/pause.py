"""Queues of which nothing starts."""

from django.db import models
from django.db.models.functions import Now

from core.options import MAX_NAME


class Pause(models.Model):
    """Somebody holds a queue of a broker alias; deleted by who resumes it."""

    broker = models.CharField(max_length=100)
    queue_name = models.CharField(max_length=MAX_NAME)
    by = models.CharField(max_length=MAX_NAME)
    paused_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["broker", "queue_name"], name="core_pause_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.broker}/{self.queue_name}, paused by {self.by}"
