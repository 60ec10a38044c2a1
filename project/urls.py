"""The shop at the root; beside it the admin, and what Prometheus reads."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

from backends.prometheus import metrics

urlpatterns = [
    path("admin/", admin.site.urls),
    path("metrics", metrics),
    path("", include("shop.urls")),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
