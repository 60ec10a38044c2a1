"""Effects outside the database in the Django admin: to read, to answer."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core import control
from core.admin.rows import FailingAdmin, user_of
from core.models import Effect


@admin.register(Effect)
class EffectAdmin(FailingAdmin):
    """Effects outside the database; whoever may answer says what happened."""

    list_display = [
        "key",
        "state",
        "policy",
        "unknowns",
        "actor_name",
        "run_id",
        "intended_at",
        "error",
    ]
    list_filter = ["state", "policy", "name", "actor_name"]
    search_fields = ["key", "error"]
    ordering = ["-intended_at"]
    show_full_result_count = False
    actions = ["happened", "did_not_happen"]
    hidden = ("value", *FailingAdmin.hidden)

    def has_answer_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may answer unknown effects."""
        return bool(request.user.has_perm("core.answer_effect"))

    @admin.action(description="It happened (unknown)", permissions=["answer"])
    def happened(self, request: HttpRequest, queryset: QuerySet[Effect]) -> None:
        """Settle the chosen unknown effects as done."""
        self._answer(request, queryset, happened=True)

    @admin.action(description="It did not happen (unknown)", permissions=["answer"])
    def did_not_happen(self, request: HttpRequest, queryset: QuerySet[Effect]) -> None:
        """Settle the chosen unknown effects as failed."""
        self._answer(request, queryset, happened=False)

    def _answer(
        self, request: HttpRequest, queryset: QuerySet[Effect], *, happened: bool
    ) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        count = sum(
            control.answer(key, happened=happened, by=user_of(request)) for key in keys
        )
        note = f"Settled {count} of {len(keys)} effects. Requeue their runs."
        self.message_user(request, note, messages.SUCCESS)
