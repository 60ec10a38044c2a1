"""/metrics: for who has the token, and for users who may see runs."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from backends.prometheus.families import families

#: The permission to read the metrics without a token.
PERMISSION = "core.view_run"


class _Now(Collector):
    """Everything as it is now: nothing is kept between two scrapes."""

    collect = staticmethod(families)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return what is there and what has ended, in Prometheus's format.

    All of it comes from the database: it is the same from every web process, however
    many workers there are. Needs settings.METRICS_TOKEN as a bearer token, or a user
    with the permission core.view_run.
    """
    if not _has_token(request):
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            challenge = {"WWW-Authenticate": 'Bearer realm="metrics"'}
            return HttpResponse(status=401, headers=challenge)
        if not user.has_perm(PERMISSION):
            return HttpResponse(status=403)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(_Now()), content_type=content_type)


def _has_token(request: HttpRequest) -> bool:
    token = getattr(settings, "METRICS_TOKEN", "")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not token or scheme.lower() != "bearer":
        return False
    return constant_time_compare(given, token)
