"""Alerts in the Django admin: rules, alerts and notices.

Receivers are only in the settings: they contain secrets and decide where data goes.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from core.admin.rows import CheckedAdmin, ReadOnlyAdmin
from core.alerts import check_row, declared
from core.alerts.kinds import KINDS
from core.errors import AlertConfigError
from core.models import Alert, AlertRule, Notice

if TYPE_CHECKING:  # at run time Django's form classes take no type argument
    ModelForm = forms.ModelForm[AlertRule]
else:
    ModelForm = forms.ModelForm

#: Options with a field of their own; the others are specific to a kind.
ALWAYS = ("name", "when", "lasting", "repeat", "resolved", "to", "enabled")


class AlertRuleForm(ModelForm):
    """A rule, checked as those of the settings are."""

    when = forms.ChoiceField(
        choices=[(name, f"{name}: {kind.meaning}") for name, kind in KINDS.items()]
    )
    to = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Receivers in ALERTS['RECEIVERS']; default: all.",
    )

    class Meta:
        model = AlertRule
        fields = "__all__"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        known = [*declared().receivers, *(self.instance.to or [])]
        to: Any = self.fields["to"]
        to.choices = [(name, name) for name in dict.fromkeys(known)]

    def clean(self) -> dict[str, Any]:
        """Refuse an invalid rule with the message of the settings' checks."""
        given = super().clean() or {}
        if self.errors:
            return given
        given["lasting"] = given.get("lasting") or timedelta()
        try:
            check_row(AlertRule(**given))
        except AlertConfigError as error:
            raise forms.ValidationError(str(error)) from None
        return given


@admin.register(AlertRule)
class AlertRuleAdmin(CheckedAdmin):
    """Rules besides those of the settings; an edit holds from the next look on."""

    form = AlertRuleForm
    list_display = ["name", "when", "above", "lasting", "repeat", "enabled"]
    list_filter = ["when", "enabled"]
    search_fields = ["name"]
    fieldsets = [
        (None, {"fields": ALWAYS}),
        ("Thresholds", {"fields": ("above", "within", "at_least")}),
        ("Filters", {"fields": ("broker", "queue", "actor", "schedule")}),
    ]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """The findings of the rules."""

    list_display = ["rule", "says", "state", "since", "last_sent", "resolved_at"]
    list_filter = ["state", "rule", "broker"]
    ordering = ["-since"]


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Notices, sent or to be sent, with the answer of each receiver."""

    list_display = ["created_at", "title", "receiver", "state", "tries", "answer"]
    list_filter = ["state", "receiver", "rule", "event"]
    ordering = ["-created_at"]
    show_full_result_count = False
