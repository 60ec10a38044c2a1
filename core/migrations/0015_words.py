"""Three fields have other names; their columns stay, for workers of another release."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0014_exact_json")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("parked", "body", "payload"),
                migrations.AlterField(
                    "parked",
                    "payload",
                    models.BinaryField(
                        db_column="body", help_text="At most the first MiB of it."
                    ),
                ),
                migrations.RenameField("worker", "slots", "threads"),
                migrations.AlterField(
                    "worker",
                    "threads",
                    models.PositiveIntegerField(
                        db_column="slots", help_text="Runs at once; 0: not a consumer."
                    ),
                ),
                migrations.RenameField("run", "slot", "limit_granted"),
                migrations.AlterField(
                    "run",
                    "limit_granted",
                    models.BooleanField(
                        default=False,
                        db_default=False,
                        db_column="slot",
                        help_text="May run now.",
                    ),
                ),
                migrations.RemoveIndex("run", "core_run_slot"),
                migrations.AddIndex(
                    "run",
                    models.Index(
                        fields=["limit_key"],
                        name="core_run_slot",
                        condition=models.Q(limit_granted=True),
                    ),
                ),
            ]
        )
    ]
