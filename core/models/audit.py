"""The actions of operators."""

from django.db import models

from core.options import MAX_NAME


class AuditEntry(models.Model):
    """One call of one of control's verbs, in the database that it changed."""

    at = models.DateTimeField()
    by = models.CharField("operator", max_length=MAX_NAME)
    verb = models.CharField(max_length=20)
    target = models.TextField(help_text="The filters or the ids, shortened.")
    changed = models.PositiveBigIntegerField(
        default=0, help_text="Number of changed rows."
    )

    class Meta:
        verbose_name_plural = "audit"
        indexes = [models.Index(fields=["-at"], name="core_audit_at")]

    def __str__(self) -> str:
        return f"{self.by}: {self.verb} {self.target}"
