"""Payloads from a broker that could not be understood."""

from django.db import models

from core.options import MAX_NAME


class Parked(models.Model):
    """A payload that did not decode or verify: kept, counted, never run."""

    broker = models.CharField(max_length=100)
    queue = models.CharField(max_length=2 * MAX_NAME, help_text="The physical queue.")
    payload = models.BinaryField(
        db_column="body", help_text="At most the first MiB of it."
    )
    size = models.PositiveBigIntegerField(help_text="Size in bytes.")
    reason = models.TextField()
    parked_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "parked"

    def __str__(self) -> str:
        return f"{self.size} bytes from {self.queue}: {self.reason}"
