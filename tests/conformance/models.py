from django.db import models


class Effect(models.Model):
    """Append-only, without a unique constraint, so that a double is visible."""

    key = models.CharField(max_length=100, db_index=True)
    run_id = models.CharField(max_length=36)
    attempt = models.IntegerField()
    pid = models.IntegerField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.key} by attempt {self.attempt}"


class Gate(models.Model):
    """A test opens it, and a body that waits for it goes on."""

    key = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.key
