"""How many files are under way at once may be left to the protocol; the old default, which had no effect, is."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

OLD_DEFAULT = 4


def leave_to_the_protocol(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("integrations", "Connection").objects.filter(parallel=OLD_DEFAULT).update(parallel=None)


def _field() -> "models.PositiveIntegerField[int | None, int | None]":
    return models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Small files or segments under way at once in one run; empty: as suits the protocol.",
    )


class Migration(migrations.Migration):
    """Connection and its history."""

    dependencies = [("integrations", "0001_initial")]
    operations = [
        migrations.AlterField("connection", "parallel", _field()),
        migrations.AlterField("historicalconnection", "parallel", _field()),
        migrations.RunPython(leave_to_the_protocol, migrations.RunPython.noop),
    ]
