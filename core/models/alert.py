"""Alerts: rules made in the admin, what has come of every rule, what is to be told."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q

from core.options import MAX_NAME

#: The longest broker alias.
_ALIAS = 100


class AlertRule(models.Model):
    """A rule that somebody made in the admin; `core.alerts.rules` reads it."""

    name = models.CharField(max_length=MAX_NAME, unique=True)
    when = models.CharField(max_length=20)
    above = models.FloatField(
        null=True, blank=True, help_text="A number, or seconds; empty: as documented."
    )
    within = models.DurationField(
        null=True, blank=True, help_text="Of so long ago; empty: as documented."
    )
    at_least = models.PositiveIntegerField(
        null=True, blank=True, help_text="failure_rate: not for fewer attempts."
    )
    broker = models.CharField(max_length=_ALIAS, blank=True, help_text="Empty: all.")
    queue = models.CharField(max_length=MAX_NAME, blank=True, help_text="Empty: all.")
    actor = models.CharField(max_length=MAX_NAME, blank=True, help_text="Empty: all.")
    schedule = models.CharField(
        max_length=MAX_NAME, blank=True, help_text="Empty: all."
    )
    lasting = models.DurationField(
        "for", default=timedelta, blank=True, help_text="It must last so long."
    )
    repeat = models.DurationField(
        null=True,
        blank=True,
        default=timedelta(hours=4),
        help_text="Told again so often while it lasts; empty: never.",
    )
    resolved = models.BooleanField(default=True, help_text="Told when it is over.")
    to = models.JSONField(
        default=list, blank=True, help_text="Names of receivers; empty: all."
    )
    enabled = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class AlertState(models.TextChoices):
    """How far an alert is; `core.alerts.states` writes it."""

    PENDING = "pending"  # it does not last long enough yet
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(models.Model):
    """The finding of one rule about one subject: a queue, an actor, a schedule."""

    rule = models.CharField(max_length=MAX_NAME)
    broker = models.CharField(max_length=_ALIAS, blank=True)
    subject = models.CharField(max_length=2 * MAX_NAME + 4)
    state = models.CharField(max_length=8, choices=AlertState.choices)
    value = models.FloatField(null=True, help_text="What was measured last.")
    says = models.TextField(help_text="What is wrong.")
    see = models.JSONField(default=list, help_text="Commands that show or end it.")
    since = models.DateTimeField(help_text="Pending since.")
    firing_since = models.DateTimeField(null=True)
    clear_since = models.DateTimeField(
        null=True, help_text="Firing still, but nothing was found since."
    )
    last_sent = models.DateTimeField(
        null=True, help_text="When it was last written for the receivers."
    )
    resolved_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "broker", "subject"], name="core_alert_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.broker} {self.subject} ({self.state})"


class AlertRound(models.Model):
    """The last evaluation of the alert rules: one row in each database."""

    number = models.PositiveBigIntegerField(default=0)
    looked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"round {self.number}"


class NoticeState(models.TextChoices):
    """The state of a notice."""

    OPEN = "open"
    SENT = "sent"
    FAILED = "failed"  # given up


class Notice(models.Model):
    """One message to one receiver, written in the transaction that raised it."""

    key = models.UUIDField(
        default=uuid.uuid4, help_text="The same at every try: doubles can be told."
    )
    rule = models.CharField(max_length=MAX_NAME)
    event = models.CharField(max_length=8, help_text="firing, repeated, resolved")
    receiver = models.CharField(max_length=MAX_NAME)
    title = models.TextField()
    text = models.TextField()
    alerts = models.JSONField(default=list, help_text="The same for programs.")
    state = models.CharField(
        max_length=6, choices=NoticeState.choices, default=NoticeState.OPEN
    )
    tries = models.PositiveIntegerField(default=0)
    answer = models.TextField(blank=True, help_text="What the receiver said last.")
    claim = models.UUIDField(null=True, help_text="Of who is sending it.")
    claimed_until = models.DateTimeField(
        null=True, help_text="Who has not said by then how it went has died."
    )
    created_at = models.DateTimeField()
    send_at = models.DateTimeField(help_text="Not before.")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["send_at"],
                name="core_notice_open",
                condition=Q(state=NoticeState.OPEN),
            ),
            models.Index(fields=["-created_at"], name="core_notice_created"),
        ]

    def __str__(self) -> str:
        return f"{self.title} to {self.receiver} ({self.state})"
