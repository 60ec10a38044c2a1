"""Where everything of the shop is found."""

from django.urls import path

from shop.views import api, pages, producer

app_name = "shop"

urlpatterns = [
    # Pages
    path("", pages.catalogue, name="catalogue"),
    path("products/<slug:slug>/", pages.product, name="product"),
    path("cart/", pages.cart, name="cart"),
    path("cart/add/", pages.cart_add, name="cart_add"),
    path("cart/update/", pages.cart_update, name="cart_update"),
    path("checkout/", pages.checkout, name="checkout"),
    path("orders/<uuid:reference>/", pages.order, name="order"),
    path("orders/<uuid:reference>/report.pdf", pages.report, name="report"),
    # Programs
    path("api/orders/", api.orders, name="api_orders"),
    path("api/orders/<str:reference>/", api.order, name="api_order"),
    path("api/tasks/<str:task_id>/", api.task, name="api_task"),
    path("tasks/<str:task_type>/", producer.producer, name="producer"),
]
