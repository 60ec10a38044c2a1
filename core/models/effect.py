"""Effects of a run outside the database: intended, done, or not known."""

import uuid

from django.db import models

from core.models.exact import ExactEncoder
from core.options import MAX_NAME


class EffectState(models.TextChoices):
    """How far an effect is; `core.runs.effects` writes it."""

    PERFORMING = "performing"
    DONE = "done"
    FAILED = "failed"  # it certainly did not happen
    UNKNOWN = "unknown"  # it may have happened


class Effect(models.Model):
    """One effect outside the database, under its idempotency key."""

    key = models.CharField(primary_key=True, max_length=2 * MAX_NAME + 1)
    name = models.CharField(max_length=MAX_NAME)
    state = models.CharField(
        max_length=10, choices=EffectState.choices, default=EffectState.PERFORMING
    )
    policy = models.CharField(
        max_length=6, help_text="If the outcome is unknown: repeat or ask."
    )
    actor_name = models.CharField(max_length=MAX_NAME, blank=True)
    run_id = models.UUIDField(
        null=True, db_index=True, help_text="The last run that performed it."
    )
    attempt = models.PositiveIntegerField(
        default=0, help_text="The attempt of that run."
    )
    token = models.UUIDField(
        default=uuid.uuid4,
        editable=False,
        help_text="Identifies the performing process.",
    )
    value = models.JSONField(
        encoder=ExactEncoder, null=True, help_text="The stored return value."
    )
    error = models.TextField(blank=True)
    unknowns = models.PositiveIntegerField(
        default=0, help_text="How often its outcome was unknown."
    )
    intended_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["-intended_at"],
                name="core_effect_open",
                condition=~models.Q(state=EffectState.DONE),
            )
        ]
        permissions = [("answer_effect", "Can say what became of an effect")]

    def __str__(self) -> str:
        return f"{self.key} ({self.state})"
