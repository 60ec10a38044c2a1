"""Parked.body is called payload; its column stays, for workers of the release before."""

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
            ]
        )
    ]
