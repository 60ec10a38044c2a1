"""Runs that belong together, and what waits for all of them."""

import uuid

from django.db import models


class Batch(models.Model):
    """A group, or one inside another. Counted down by the settling of its members.

    One row that all members change: they settle one after the other. That costs less
    than looking at ten thousand members each time, and only groups pay for it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    size = models.PositiveIntegerField()
    remaining = models.PositiveIntegerField(help_text="Members that have not ended.")
    failed = models.PositiveIntegerField(
        default=0, help_text="Members that ended without success."
    )
    collects = models.BooleanField(
        default=False, help_text="Its followers get the results."
    )
    followed = models.BooleanField(default=False, help_text="A run waits for it.")
    batch = models.UUIDField(null=True, help_text="Its parent batch.")
    position = models.PositiveIntegerField(
        default=0, help_text="Position in that batch."
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "batches"
        indexes = [
            models.Index(
                fields=["batch", "position"],
                name="core_batch_batch",
                condition=models.Q(batch__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.size} runs, {self.remaining} of them not ended"
