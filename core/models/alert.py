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
        null=True, blank=True, help_text="A number or seconds; empty: the default."
    )
    within = models.DurationField(
        null=True, blank=True, help_text="The period; empty: the default."
    )
    at_least = models.PositiveIntegerField(
        null=True, blank=True, help_text="failure_rate: the fewest attempts."
    )
    broker = models.CharField(max_length=_ALIAS, blank=True, help_text="Empty: all.")
    queue = models.CharField(max_length=MAX_NAME, blank=True, help_text="Empty: all.")
    actor = models.CharField(max_length=MAX_NAME, blank=True, help_text="Empty: all.")
    schedule = models.CharField(
        max_length=MAX_NAME, blank=True, help_text="Empty: all."
    )
    lasting = models.DurationField(
        "for", default=timedelta, blank=True, help_text="How long it must last."
    )
    repeat = models.DurationField(
        null=True,
        blank=True,
        default=timedelta(hours=4),
        help_text="Interval of reminders; empty: none.",
    )
    resolved = models.BooleanField(
        default=True, help_text="Send a message when it is over."
    )
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
    value = models.FloatField(null=True, help_text="The last measured value.")
    says = models.TextField(help_text="Describes the problem.")
    see = models.JSONField(default=list, help_text="Commands that show or fix it.")
    since = models.DateTimeField(help_text="Pending since.")
    firing_since = models.DateTimeField(null=True)
    clear_since = models.DateTimeField(
        null=True, help_text="Still firing, but well since."
    )
    last_sent = models.DateTimeField(
        null=True, help_text="When its last message was written."
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

    key = models.UUIDField(default=uuid.uuid4, help_text="The same at every try.")
    rule = models.CharField(max_length=MAX_NAME)
    event = models.CharField(max_length=8, help_text="firing, repeated, resolved")
    receiver = models.CharField(max_length=MAX_NAME)
    title = models.TextField()
    text = models.TextField()
    alerts = models.JSONField(default=list, help_text="The alerts as JSON.")
    state = models.CharField(
        max_length=6, choices=NoticeState.choices, default=NoticeState.OPEN
    )
    tries = models.PositiveIntegerField(default=0)
    answer = models.TextField(blank=True, help_text="The receiver's last answer.")
    claim = models.UUIDField(null=True, help_text="Identifies the sending process.")
    claimed_until = models.DateTimeField(
        null=True, help_text="When a silent sender is given up."
    )
    created_at = models.DateTimeField()
    send_at = models.DateTimeField(help_text="Earliest sending.")
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
