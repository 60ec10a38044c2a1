"""The life of one message, and how each of its failed attempts ended."""

import uuid

from django.db import models
from django.db.models import Q

from core.models.exact import ExactEncoder
from core.options import MAX_NAME


class State(models.TextChoices):
    """Where a run is; `core.runs` draws the steps between."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"


#: A run in one of these has not ended.
ACTIVE = (State.PENDING, State.QUEUED, State.RUNNING)


class Run(models.Model):
    """One message. Only `core.runs` writes `state` and what goes with it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    broker = models.CharField(max_length=100)
    actor_name = models.CharField(max_length=MAX_NAME)
    queue_name = models.CharField(max_length=MAX_NAME)
    priority = models.SmallIntegerField(default=0)
    args = models.JSONField(encoder=ExactEncoder, default=list)
    kwargs = models.JSONField(encoder=ExactEncoder, default=dict)
    options = models.JSONField(
        encoder=ExactEncoder, default=dict, help_text="Options of the send."
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    attempt = models.PositiveIntegerField(
        default=0, help_text="Number of attempts so far."
    )
    retries = models.PositiveIntegerField(default=0)
    crashes = models.PositiveIntegerField(
        default=0, help_text="How often its process died."
    )
    lone_crashes = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Of these, while it ran alone.",
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, help_text="Latest start (max_age).")
    due_at = models.DateTimeField(help_text="Earliest start.")
    relay_at = models.DateTimeField(
        null=True,
        help_text="pending: the relay takes it after this;"
        " queued: it may be declared lost after this.",
    )
    reserved = models.BooleanField(
        default=False,
        db_default=False,
        help_text="pending: a relay is publishing it until relay_at.",
    )
    started_at = models.DateTimeField(null=True, help_text="Start of the last attempt.")
    finished_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=MAX_NAME, blank=True)
    error = models.TextField(blank=True, help_text="Error of the last failed attempt.")
    routed = models.BooleanField(
        default=True, db_default=True, help_text="Its route has been decided."
    )
    cancel_requested = models.BooleanField(default=False, db_default=False)
    progress = models.JSONField(
        encoder=ExactEncoder, null=True, help_text="[done, total, note]"
    )
    result = models.JSONField(
        encoder=ExactEncoder, null=True, help_text="The return value."
    )
    result_until = models.DateTimeField(
        null=True, help_text="End of the result's ttl; null: not stored."
    )
    unique_key = models.CharField(
        max_length=MAX_NAME, null=True, help_text="No other run may have this key."
    )
    unique_running = models.BooleanField(
        default=False, help_text="Holds its key until it ends."
    )
    limit_key = models.CharField(
        max_length=2 * MAX_NAME + 1, null=True, help_text="Key of its Limit."
    )
    limit_granted = models.BooleanField(
        default=False,
        db_default=False,
        db_column="slot",
        help_text="Its limit lets it run.",
    )
    after = models.UUIDField(null=True, help_text="The run or batch before it.")
    after_end = models.BooleanField(
        default=False,
        db_default=False,
        help_text="It waits for the end, not the success.",
    )
    piped = models.JSONField(
        encoder=ExactEncoder, null=True, help_text="Arguments from the run before it."
    )
    batch = models.UUIDField(null=True, help_text="Its batch.")
    position = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Position in its batch."
    )
    collected = models.BooleanField(
        default=False, db_default=False, help_text="Its batch needs its result."
    )
    followed = models.BooleanField(
        default=False, db_default=False, help_text="A run waits for it."
    )

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
                fields=["broker", "queue_name", "priority"],
                name="core_run_reserved",
                condition=Q(state=State.PENDING, reserved=True),
            ),
            models.Index(
                fields=["broker", "worker"],
                name="core_run_running",
                condition=Q(state=State.RUNNING),
            ),
            models.Index(fields=["-created_at"], name="core_run_created"),
            models.Index(
                fields=["broker", "due_at"],
                name="core_run_crashed",
                condition=Q(state=State.PENDING, crashes__gt=0),
            ),
            models.Index(
                fields=["broker", "due_at"],
                name="core_run_unrouted",
                condition=Q(state=State.PENDING, routed=False),
            ),
            models.Index(
                fields=["limit_key"],
                name="core_run_slot",
                condition=Q(limit_granted=True),
            ),
            models.Index(
                fields=["after"],
                name="core_run_after",
                condition=Q(after__isnull=False),
            ),
            models.Index(
                fields=["batch", "position"],
                name="core_run_batch",
                condition=Q(batch__isnull=False),
            ),
            models.Index(
                fields=["broker", "state", "finished_at"],
                name="core_run_ended",
                condition=Q(finished_at__isnull=False),
            ),
            # For the lists of operators: what succeeds pays for one of them, once.
            models.Index(
                fields=["actor_name", "-created_at"],
                name="core_run_actor",
                condition=Q(finished_at__isnull=False),
            ),
            models.Index(
                fields=["state", "-created_at"],
                name="core_run_unwell",
                condition=Q(state__in=(State.DEAD, State.CANCELLED)),
            ),
            models.Index(
                fields=["result_until"],
                name="core_run_result",
                condition=Q(result_until__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["actor_name", "unique_key"],
                name="core_run_unique",
                condition=Q(unique_key__isnull=False),
            )
        ]
        permissions = [
            ("view_arguments", "Can view arguments, results and tracebacks"),
            ("requeue_run", "Can requeue run"),
            ("cancel_run", "Can cancel run"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.id} ({self.state})"


class Outcome(models.TextChoices):
    """How an attempt ended that did not succeed."""

    FAILED = "failed"  # the body raised
    CRASHED = "crashed"  # its process died or fell silent
    UNKNOWN = "unknown"  # the process did not know the actor
    EXPIRED = "expired"  # it was older than its max_age when it would have started


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
    kind = models.CharField(
        max_length=MAX_NAME, db_default="", help_text="The exception's type."
    )
    place = models.CharField(
        max_length=MAX_NAME, db_default="", help_text="The function that raised it."
    )
    fingerprint = models.CharField(
        max_length=16, db_default="", help_text="Digest of actor, kind and place."
    )

    class Meta:
        ordering = ["number"]
        # Only what fails pays for it. With all that a count of them asks for.
        indexes = [
            models.Index(
                fields=["finished_at", "fingerprint", "id"], name="core_attempt_errors"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="core_attempt_once")
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.outcome}"
