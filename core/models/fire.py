"""The outcome of each slot of a schedule."""

from datetime import timedelta

from django.db import models
from django.db.models import Q

from core.models.schedule import Schedule
from core.options import MAX_NAME


class FireState(models.TextChoices):
    """The outcome of a slot."""

    FIRED = "fired"
    SKIPPED = "skipped"
    WAITING = "waiting"  # for the end of an earlier run


class Fire(models.Model):
    """One slot, decided once; also a "run now", which has no slot."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="slots")
    slot = models.DateTimeField(null=True, help_text="Null: it was run by hand.")
    until = models.DateTimeField(
        null=True,
        help_text="It also stands for the slots without a row before this.",
    )
    state = models.CharField(max_length=7, choices=FireState.choices)
    reason = models.TextField(blank=True, help_text="Why it was skipped.")
    run_id = models.UUIDField(null=True, db_index=True)
    is_open = models.BooleanField(
        default=False, help_text="Its run had not ended at the last look."
    )
    driver = models.CharField(max_length=MAX_NAME, blank=True)
    decided_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["schedule"], name="core_fire_open", condition=Q(is_open=True)
            ),
            models.Index(
                fields=["schedule", "slot"],
                name="core_fire_waiting",
                condition=Q(state=FireState.WAITING),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "slot"], name="core_fire_once")
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.slot or 'by hand'} ({self.state})"

    @property
    def late(self) -> timedelta | None:
        """How long after its slot it was decided; None: by hand."""
        return None if self.slot is None else self.decided_at - self.slot
