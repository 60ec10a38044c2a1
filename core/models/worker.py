"""The processes that run actors, and until when they may speak for their runs."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from core.options import MAX_NAME


class Worker(models.Model):
    """One process. Its runs are its own until `lease_until`, in database time."""

    name = models.CharField(primary_key=True, max_length=MAX_NAME)
    broker = models.CharField(max_length=100)
    engine = models.CharField(max_length=50)
    supervisor = models.CharField(
        max_length=MAX_NAME, blank=True, help_text="The process that restarts it."
    )
    host = models.CharField(max_length=MAX_NAME)
    pid = models.PositiveIntegerField()
    queues = models.JSONField(default=list)
    threads = models.PositiveIntegerField(
        db_column="slots", help_text="Threads; 0: not a consumer."
    )
    rate = models.FloatField(default=0, help_text="Recently started runs per second.")
    rss = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Resident memory in bytes."
    )
    started_at = models.DateTimeField()
    lease_until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def alive(cls, database: str, broker: str) -> "models.QuerySet[Worker]":
        """Return the broker's workers whose lease holds."""
        return cls.objects.using(database).filter(broker=broker, lease_until__gt=Now())

    @classmethod
    def forget_silent(cls, database: str) -> None:
        """Delete the rows of processes that died long ago; they hold nothing."""
        silent = cls.objects.using(database).filter(
            lease_until__lt=Now() - timedelta(minutes=10)
        )
        silent.delete()
