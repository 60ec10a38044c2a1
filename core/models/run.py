"""The life of one message, and how each of its failed attempts ended."""

import uuid

from django.db import models
from django.db.models import Q

from core.options import MAX_NAME


class State(models.TextChoices):
    """Where a run is; `core.runs` draws the steps between."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Run(models.Model):
    """One message. Only `core.runs` writes `state` and what goes with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    broker = models.CharField(max_length=100)
    actor_name = models.CharField(max_length=MAX_NAME)
    queue_name = models.CharField(max_length=MAX_NAME)
    priority = models.SmallIntegerField(default=0)
    args = models.JSONField(default=list)
    kwargs = models.JSONField(default=dict)
    options = models.JSONField(default=dict, help_text="What the send gave.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    attempt = models.PositiveIntegerField(default=0, help_text="Claims so far.")
    retries = models.PositiveIntegerField(default=0)
    crashes = models.PositiveIntegerField(
        default=0, help_text="Times its process died while it ran."
    )
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Never starts before.")
    relay_at = models.DateTimeField(
        null=True,
        help_text="pending: the relay takes it from then on;"
        " queued: from then on it may be taken for lost.",
    )
    started_at = models.DateTimeField(null=True, help_text="Of the last attempt.")
    finished_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=MAX_NAME, blank=True)
    error = models.TextField(blank=True, help_text="Of the last failed attempt.")

    class Meta:
        # Partial, so that a million finished runs cost the hot statements nothing.
        indexes = [
            models.Index(
                fields=["broker", "queue_name", "priority", "due_at"],
                name="core_run_pending",
                condition=Q(state=State.PENDING),
            ),
            models.Index(
                fields=["broker", "queue_name", "relay_at"],
                name="core_run_queued",
                condition=Q(state=State.QUEUED),
            ),
            models.Index(
                fields=["broker", "worker"],
                name="core_run_running",
                condition=Q(state=State.RUNNING),
            ),
            models.Index(fields=["-created_at"], name="core_run_created"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.id} ({self.state})"


class Outcome(models.TextChoices):
    """How an attempt ended that did not succeed."""

    FAILED = "failed"  # the body raised
    CRASHED = "crashed"  # its process died or fell silent
    UNKNOWN = "unknown"  # the process did not know the actor


class Attempt(models.Model):
    """An attempt that did not succeed; the one that did is in the run itself."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=7, choices=Outcome.choices)
    worker = models.CharField(max_length=MAX_NAME)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    error = models.TextField()
    traceback = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="core_attempt_once")
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.outcome}"
