"""Runs in the Django admin: to read, to requeue, to cancel."""

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from core import control
from core.admin import run_page
from core.admin.rows import FailingAdmin, user_of, visible
from core.counted import counted
from core.models import Attempt, Run

if TYPE_CHECKING:  # at run time Django's admin classes take no type argument
    StackedInline = admin.StackedInline[Attempt, Run]
else:
    StackedInline = admin.StackedInline


class AttemptInline(StackedInline):
    """The attempts of a run that did not succeed."""

    model = Attempt
    extra = 0
    can_delete = False
    ordering = ("-number",)
    fields = (("outcome", "worker"), ("started_at", "finished_at"), "shown_traceback")
    readonly_fields = (
        *("outcome", "worker", "started_at", "finished_at", "shown_traceback"),
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return True if the user may view runs: attempts belong to them."""
        return bool(request.user.has_perm("core.view_run"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave out the traceback for who may not view arguments."""
        return visible(request, self.fields, ("shown_traceback",))

    @admin.display(description="Traceback")
    def shown_traceback(self, row: Attempt) -> SafeString:
        """Return it with its lines as they are."""
        return run_page.traceback(row)


@admin.register(Run)
class RunAdmin(FailingAdmin):
    """The life of every message; each action has its own permission."""

    list_display = [
        "id",
        "actor_name",
        "state",
        "queue_name",
        "attempt",
        "created_at",
        "finished_at",
        "error",
    ]
    list_filter = ["state", "queue_name", "actor_name", "broker"]
    search_fields = ["=id", "actor_name", "error"]
    ordering = ["-created_at"]
    show_full_result_count = False
    inlines = [AttemptInline]
    actions = ["requeue", "cancel"]
    # The keys are made of arguments.
    hidden = (
        "why",
        "args",
        "kwargs",
        "options",
        "result",
        "piped",
        "unique_key",
        "limit_key",
        "attempts",
        "progress",
        *FailingAdmin.hidden,
    )

    readonly_fields = ["why", "gates", *FailingAdmin.readonly_fields]
    instead = ("gates", *FailingAdmin.instead)

    class Media:
        css = {"all": ["core/run.css"]}

    def get_fieldsets(self, request: HttpRequest, obj: Run | None = None) -> Any:
        """Put first what an operator needs first."""
        fields = self.get_fields(request, obj)
        return run_page.fieldsets(fields, obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add what can be done to the run."""
        row = self.get_object(request, object_id)
        acts = run_page.acts(request, row) if row else []
        context = {"acts": acts, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description="Why")
    def why(self, row: Run) -> SafeString:
        """Return why it has not started, or where it is."""
        return run_page.why(row)

    @admin.display(description="Why")
    def gates(self, row: Run) -> str:
        """Return the same in a word, without what a reason may quote."""
        return run_page.gates(row)

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons of a run's page."""
        acts = [
            path(
                f"<uuid:pk>/{verb}/",
                self.admin_site.admin_view(partial(self._act, verb)),
                name=f"core_run_{verb}",
            )
            for verb in run_page.ACTS
        ]
        return [*acts, *super().get_urls()]

    def _act(self, verb: str, request: HttpRequest, pk: UUID) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not run_page.may(request, verb):
            raise PermissionDenied
        if run_page.ACTS[verb]([str(pk)], by=user_of(request)):
            self.message_user(request, f"Done: {verb}.", messages.SUCCESS)
        else:
            said = control.refused(verb, [str(pk)]).get(str(pk), "is changed already")
            self.message_user(request, f"It {said}.", messages.ERROR)
        return HttpResponseRedirect(reverse("admin:core_run_change", args=[pk]))

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may requeue runs."""
        return run_page.may(request, "requeue")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may cancel runs."""
        return run_page.may(request, "cancel")

    @admin.action(description="Requeue (dead and cancelled)", permissions=["requeue"])
    def requeue(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Run the chosen dead and cancelled runs again."""
        ids = [str(run.pk) for run in queryset.only("pk")]
        count = control.requeue(ids, by=user_of(request))
        self.message_user(
            request, f"Requeued {counted(count, 'run')}.", messages.SUCCESS
        )

    @admin.action(description="Cancel (not yet ended)", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Stop the chosen runs that have not ended."""
        ids = [str(run.pk) for run in queryset.only("pk")]
        count = control.cancel(ids, by=user_of(request))
        self.message_user(
            request, f"Cancelled {counted(count, 'run')}.", messages.SUCCESS
        )
