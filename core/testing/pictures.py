"""Pictures of a database's rows: taken, put back, compared."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core import mail, serializers
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connections, models, transaction

#: One row, as it is compared; and how often it is there.
Picture = Counter[tuple[str, str]]

#: Storage adds these to the name of a file when there is one of that name.
_SUFFIX = re.compile(r"_[A-Za-z0-9]{7}(?=\.[^./]*$|$)")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.]*(?:Z|[+-]\d\d:\d\d)?")


def _tables() -> Iterator[type[models.Model]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model


class Start:
    """All rows of a database, and what was mailed: put back, and compared with."""

    def __init__(self, database: str) -> None:
        self._database = database
        rows = [
            row
            for model in _tables()
            for row in model._base_manager.using(database).order_by("pk")
        ]
        self._rows = serializers.serialize("python", rows)
        self._keys = {(row._meta.concrete_model, row.pk) for row in rows}
        #: Others are made anew each time.
        self._uuids = set(_UUID.findall(repr(self._rows)))
        self._mails = list(getattr(mail, "outbox", []))

    def restore(self) -> None:
        """Make everything as it was."""
        call_command(
            "flush",
            verbosity=0,
            interactive=False,
            database=self._database,
            inhibit_post_migrate=True,
        )
        connection = connections[self._database]
        rows = serializers.deserialize("python", self._rows, using=self._database)
        with (
            transaction.atomic(using=self._database),
            connection.constraint_checks_disabled(),
        ):
            for row in rows:
                row.save(using=self._database)
        # The rows came with their keys: the next new one must not have one of these.
        counters = connection.ops.sequence_reset_sql(no_style(), list(_tables()))
        with connection.cursor() as cursor:
            for statement in counters:
                cursor.execute(statement)
        if hasattr(mail, "outbox"):
            mail.outbox[:] = self._mails

    def picture(self, run_id: str) -> Picture:
        """Return what there is now; of our own tables only the messages but `run_id`'s.

        Without moments, new ids and new keys: they are others each time.
        """
        found: Picture = Counter()
        for model in _tables():
            if model._meta.app_label != "core":
                for row in model._base_manager.using(self._database).all():
                    found[model._meta.label, self._row(row)] += 1
        found.update(("message", told) for told in self._messages(run_id))
        found.update(("mail", self._plain(told)) for told in _mails())
        return found

    def _row(self, row: models.Model) -> str:
        values = []
        for field in row._meta.concrete_fields:
            value = field.value_from_object(row)
            other = field.related_model
            if isinstance(field, models.AutoField):
                continue
            if isinstance(other, type) and value is not None:
                known = (other._meta.concrete_model, value) in self._keys
                value = value if known else "new"
            values.append(f"{field.attname}={self._value(value)}")
        return ", ".join(values)

    def _value(self, value: Any) -> str:
        if isinstance(value, datetime | date | time):
            return "a moment"
        if hasattr(value, "storage"):
            return self._plain(_SUFFIX.sub("", value.name or ""))
        return self._plain(str(value) if isinstance(value, UUID) else repr(value))

    def _plain(self, text: str) -> str:
        """Return a text without what is another one each time."""

        def name(found: re.Match[str]) -> str:
            return found[0] if found[0] in self._uuids else "an id"

        return _MOMENT.sub("a moment", _UUID.sub(name, text))

    def _messages(self, run_id: str) -> Iterator[str]:
        runs = apps.get_model("core", "Run")._base_manager.using(self._database)
        for run in runs.exclude(pk=run_id):
            told = ", ".join([*map(repr, run.args), *map(str, run.kwargs.items())])
            yield self._plain(f"{run.actor_name}({told})")


def _mails() -> Iterator[str]:
    """Tell of mails; several copies with one Message-ID of the body's are one."""
    once = set()
    for sent in getattr(mail, "outbox", []):
        key = sent.extra_headers.get("Message-ID")
        if key is None or key not in once:
            once.add(key)
            yield f"{sent.subject!r} to {', '.join(sent.recipients())}"
