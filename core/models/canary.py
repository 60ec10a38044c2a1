"""The traces of the canaries of `manage.py tasks chaos`: a row each time one runs."""

from django.db import models

from core.options import MAX_NAME


class CanaryMark(models.Model):
    """The effect of one canary. Nothing is unique here: a second effect must show."""

    token = models.UUIDField(db_index=True, help_text="Identifies the sending command.")
    number = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    process = models.CharField(max_length=MAX_NAME, help_text="host:pid")

    def __str__(self) -> str:
        return f"canary {self.number}, attempt {self.attempt} in {self.process}"
