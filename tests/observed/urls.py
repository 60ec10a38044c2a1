from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from project import urls
from tests.observed import tasks


@require_safe
def send(request: HttpRequest) -> HttpResponse:
    tasks.send_all()
    return HttpResponse()


urlpatterns = [path("send", send), *urls.urlpatterns]
