"""Limits and keys: rows that several runs meet at."""

from django.db import models

from core.options import MAX_NAME


class Limit(models.Model):
    """How many runs of one key may be out at once, and how often one may start."""

    key = models.CharField(primary_key=True, max_length=2 * MAX_NAME + 1)
    size = models.PositiveIntegerField(
        null=True, help_text="Runs at once; null: no limit."
    )
    interval = models.FloatField(null=True, help_text="Seconds between two starts.")
    next_at = models.DateTimeField(
        null=True,
        db_index=True,
        help_text="The next start, if evenly spread (GCRA).",
    )

    def __str__(self) -> str:
        return self.key


class IdempotencyKey(models.Model):
    """A caller's key and the run that it gave; outlives the run."""

    actor_name = models.CharField(max_length=MAX_NAME)
    key = models.CharField(max_length=MAX_NAME)
    run_id = models.UUIDField()
    fingerprint = models.CharField(max_length=64, help_text="Digest of the arguments.")
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["actor_name", "key"], name="core_idempotency_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.key}"
