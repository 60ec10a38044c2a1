"""Help texts in plain words; no statement is executed."""

import core.models.exact
import datetime
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0015_words"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="clear_since",
            field=models.DateTimeField(
                help_text="Still firing, but well since.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="alert",
            name="last_sent",
            field=models.DateTimeField(
                help_text="When its last message was written.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="alert",
            name="says",
            field=models.TextField(help_text="Describes the problem."),
        ),
        migrations.AlterField(
            model_name="alert",
            name="see",
            field=models.JSONField(
                default=list, help_text="Commands that show or fix it."
            ),
        ),
        migrations.AlterField(
            model_name="alert",
            name="value",
            field=models.FloatField(help_text="The last measured value.", null=True),
        ),
        migrations.AlterField(
            model_name="alertrule",
            name="above",
            field=models.FloatField(
                blank=True,
                help_text="A number or seconds; empty: the default.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="alertrule",
            name="at_least",
            field=models.PositiveIntegerField(
                blank=True, help_text="failure_rate: the fewest attempts.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="alertrule",
            name="lasting",
            field=models.DurationField(
                blank=True,
                default=datetime.timedelta,
                help_text="How long it must last.",
                verbose_name="for",
            ),
        ),
        migrations.AlterField(
            model_name="alertrule",
            name="repeat",
            field=models.DurationField(
                blank=True,
                default=datetime.timedelta(seconds=14400),
                help_text="Interval of reminders; empty: none.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="alertrule",
            name="resolved",
            field=models.BooleanField(
                default=True, help_text="Send a message when it is over."
            ),
        ),
        migrations.AlterField(
            model_name="alertrule",
            name="within",
            field=models.DurationField(
                blank=True, help_text="The period; empty: the default.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="fingerprint",
            field=models.CharField(
                db_default="",
                help_text="Digest of actor, kind and place.",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="by",
            field=models.CharField(max_length=200, verbose_name="operator"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="changed",
            field=models.PositiveBigIntegerField(
                default=0, help_text="Number of changed rows."
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="batch",
            field=models.UUIDField(help_text="Its parent batch.", null=True),
        ),
        migrations.AlterField(
            model_name="batch",
            name="collects",
            field=models.BooleanField(
                default=False, help_text="Its followers get the results."
            ),
        ),
        migrations.AlterField(
            model_name="batch",
            name="followed",
            field=models.BooleanField(default=False, help_text="A run waits for it."),
        ),
        migrations.AlterField(
            model_name="batch",
            name="position",
            field=models.PositiveIntegerField(
                default=0, help_text="Position in that batch."
            ),
        ),
        migrations.AlterField(
            model_name="canarymark",
            name="token",
            field=models.UUIDField(
                db_index=True, help_text="Identifies the sending command."
            ),
        ),
        migrations.AlterField(
            model_name="effect",
            name="attempt",
            field=models.PositiveIntegerField(
                default=0, help_text="The attempt of that run."
            ),
        ),
        migrations.AlterField(
            model_name="effect",
            name="policy",
            field=models.CharField(
                help_text="If the outcome is unknown: repeat or ask.", max_length=6
            ),
        ),
        migrations.AlterField(
            model_name="effect",
            name="run_id",
            field=models.UUIDField(
                db_index=True, help_text="The last run that performed it.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="effect",
            name="token",
            field=models.UUIDField(
                default=uuid.uuid4,
                editable=False,
                help_text="Identifies the performing process.",
            ),
        ),
        migrations.AlterField(
            model_name="effect",
            name="unknowns",
            field=models.PositiveIntegerField(
                default=0, help_text="How often its outcome was unknown."
            ),
        ),
        migrations.AlterField(
            model_name="effect",
            name="value",
            field=models.JSONField(
                encoder=core.models.exact.ExactEncoder,
                help_text="The stored return value.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="fire",
            name="is_open",
            field=models.BooleanField(
                default=False, help_text="Its run had not ended at the last look."
            ),
        ),
        migrations.AlterField(
            model_name="fire",
            name="slot",
            field=models.DateTimeField(
                help_text="Null: it was run by hand.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="fire",
            name="until",
            field=models.DateTimeField(
                help_text="It also stands for the slots without a row before this.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="idempotencykey",
            name="fingerprint",
            field=models.CharField(help_text="Digest of the arguments.", max_length=64),
        ),
        migrations.AlterField(
            model_name="limit",
            name="next_at",
            field=models.DateTimeField(
                db_index=True,
                help_text="The next start, if evenly spread (GCRA).",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="limit",
            name="size",
            field=models.PositiveIntegerField(
                help_text="Runs at once; null: no limit.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="alerts",
            field=models.JSONField(default=list, help_text="The alerts as JSON."),
        ),
        migrations.AlterField(
            model_name="notice",
            name="answer",
            field=models.TextField(blank=True, help_text="The receiver's last answer."),
        ),
        migrations.AlterField(
            model_name="notice",
            name="claim",
            field=models.UUIDField(
                help_text="Identifies the sending process.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="claimed_until",
            field=models.DateTimeField(
                help_text="When a silent sender is given up.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="key",
            field=models.UUIDField(
                default=uuid.uuid4, help_text="The same at every try."
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="send_at",
            field=models.DateTimeField(help_text="Earliest sending."),
        ),
        migrations.AlterField(
            model_name="parked",
            name="size",
            field=models.PositiveBigIntegerField(help_text="Size in bytes."),
        ),
        migrations.AlterField(
            model_name="rolledup",
            name="until",
            field=models.DateTimeField(help_text="Runs that ended before are counted."),
        ),
        migrations.AlterField(
            model_name="rollup",
            name="failures",
            field=models.PositiveBigIntegerField(
                default=0, help_text="Failed attempts."
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="after",
            field=models.UUIDField(help_text="The run or batch before it.", null=True),
        ),
        migrations.AlterField(
            model_name="run",
            name="after_end",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="It waits for the end, not the success.",
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="attempt",
            field=models.PositiveIntegerField(
                default=0, help_text="Number of attempts so far."
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="batch",
            field=models.UUIDField(help_text="Its batch.", null=True),
        ),
        migrations.AlterField(
            model_name="run",
            name="collected",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Its batch needs its result."
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="crashes",
            field=models.PositiveIntegerField(
                default=0, help_text="How often its process died."
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="due_at",
            field=models.DateTimeField(help_text="Earliest start."),
        ),
        migrations.AlterField(
            model_name="run",
            name="error",
            field=models.TextField(
                blank=True, help_text="Error of the last failed attempt."
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="expires_at",
            field=models.DateTimeField(help_text="Latest start (max_age).", null=True),
        ),
        migrations.AlterField(
            model_name="run",
            name="followed",
            field=models.BooleanField(
                db_default=False, default=False, help_text="A run waits for it."
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="limit_granted",
            field=models.BooleanField(
                db_column="slot",
                db_default=False,
                default=False,
                help_text="Its limit lets it run.",
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="limit_key",
            field=models.CharField(
                help_text="Key of its Limit.", max_length=401, null=True
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="lone_crashes",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="Of these, while it ran alone."
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="options",
            field=models.JSONField(
                default=dict,
                encoder=core.models.exact.ExactEncoder,
                help_text="Options of the send.",
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="piped",
            field=models.JSONField(
                encoder=core.models.exact.ExactEncoder,
                help_text="Arguments from the run before it.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="position",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Position in its batch."
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="relay_at",
            field=models.DateTimeField(
                help_text="pending: the relay takes it after this; queued: it may be declared lost after this.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="reserved",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="pending: a relay is publishing it until relay_at.",
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="result",
            field=models.JSONField(
                encoder=core.models.exact.ExactEncoder,
                help_text="The return value.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="result_until",
            field=models.DateTimeField(
                help_text="End of the result's ttl; null: not stored.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="started_at",
            field=models.DateTimeField(
                help_text="Start of the last attempt.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="unique_key",
            field=models.CharField(
                help_text="No other run may have this key.", max_length=200, null=True
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="unique_running",
            field=models.BooleanField(
                default=False, help_text="Holds its key until it ends."
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="after",
            field=models.DateTimeField(
                editable=False, help_text="Slots after this are undecided."
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="excluded",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Dates in its zone, such as 2026-12-24.",
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="failures_from",
            field=models.DateTimeField(
                editable=False, help_text="Earlier failures do not count.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="jitter",
            field=models.DurationField(
                blank=True,
                default=datetime.timedelta,
                help_text="Runs start up to this much later.",
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="missed_max",
            field=models.PositiveIntegerField(
                blank=True, help_text='The most for missed="all".', null=True
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="next_at",
            field=models.DateTimeField(
                editable=False, help_text="The next look; null: finished.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="options",
            field=models.JSONField(
                blank=True,
                default=dict,
                encoder=core.models.exact.ExactEncoder,
                help_text="Options of the send.",
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="pause_after",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Pause after this many failures in a row.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="paused_from",
            field=models.DateTimeField(
                editable=False,
                help_text="The first slot skipped by a pause.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="retired_at",
            field=models.DateTimeField(
                editable=False, help_text="No longer declared since.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="trigger",
            field=models.JSONField(
                help_text='Such as {"kind": "crontab", "expr": "0 0 * * *"}.'
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="window",
            field=models.DurationField(
                blank=True, help_text="Older missed slots do not fire.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="worker",
            name="rate",
            field=models.FloatField(
                default=0, help_text="Recently started runs per second."
            ),
        ),
        migrations.AlterField(
            model_name="worker",
            name="rss",
            field=models.PositiveBigIntegerField(
                db_default=0, default=0, help_text="Resident memory in bytes."
            ),
        ),
        migrations.AlterField(
            model_name="worker",
            name="supervisor",
            field=models.CharField(
                blank=True, help_text="The process that restarts it.", max_length=200
            ),
        ),
        migrations.AlterField(
            model_name="worker",
            name="threads",
            field=models.PositiveIntegerField(
                db_column="slots", help_text="Threads; 0: not a consumer."
            ),
        ),
    ]
