"""Where everything of the shop is found."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
app_name = "shop"
