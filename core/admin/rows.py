"""Common parts of all pages: nothing is edited, and not everybody reads arguments."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.http import HttpRequest, HttpResponseRedirect

if TYPE_CHECKING:  # at run time Django's admin classes take no type argument
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

#: The permission to see arguments, results and errors.
VIEW_ARGUMENTS = "core.view_arguments"


def may_read(request: HttpRequest) -> bool:
    """Return True if this user may see what messages carry."""
    return bool(request.user.has_perm(VIEW_ARGUMENTS))


def visible(request: HttpRequest, fields: Iterable[Any], hidden: Any) -> list[Any]:
    """Return the fields without those that this user may not see."""
    if may_read(request):
        return list(fields)
    return [field for field in fields if field not in hidden]


def user_of(request: HttpRequest) -> str:
    """Return the name that goes to the audit."""
    return request.user.get_username()


class CheckedAdmin(ModelAdmin):
    """Refuses an action on ids that cannot be one; Django answers with a fault."""

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **options: Any
    ) -> Any:
        """Perform an action on the chosen rows."""
        pk = self.model._meta.pk
        try:
            for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
                # PostgreSQL's texts have none.
                ProhibitNullCharactersValidator()(chosen)
                pk.run_validators(pk.to_python(chosen))
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **options)


class ReadOnlyAdmin(CheckedAdmin):
    """Rows that only the state machine writes."""

    #: Fields that need the permission to view arguments.
    hidden: tuple[str, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave out what this user may not see."""
        return visible(request, super().get_fields(request, obj), self.hidden)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse ?args__contains=... too: who may not see must not guess."""
        field = lookup.partition("__")[0]
        if not visible(request, [field], self.hidden):
            return False
        return super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: rows are not added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: rows are not edited by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor deletes one."""
        return False


class FailingAdmin(ReadOnlyAdmin):
    """Rows with an error: its words may be a message's, its kind is anyone's to see."""

    hidden: tuple[str, ...] = ("error",)
    #: The fields shown instead to users without that permission.
    instead: tuple[str, ...] = ("kind",)
    readonly_fields = ["kind"]

    @admin.display(description="Error")
    def kind(self, row: Any) -> str:
        """Return the name of the exception, or what core says instead of one."""
        return re.split(r"[:(]", row.error, maxsplit=1)[0]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show the error or its kind."""
        fields = super().get_fields(request, obj)
        left_out = self.instead if may_read(request) else ()
        return [field for field in fields if field not in left_out]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Show the error or its kind."""
        fields = super().get_list_display(request)
        return [
            *visible(request, fields, self.hidden),
            *([] if may_read(request) else ["kind"]),
        ]

    def get_search_fields(self, request: HttpRequest) -> list[Any]:
        """Leave out what this user could only guess."""
        return visible(request, super().get_search_fields(request), self.hidden)
