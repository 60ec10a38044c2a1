"""Forms of the shop."""

import uuid

from django import forms

from shop.cart import MOST


class QuantityForm(forms.Form):
    """How many of which product."""

    product = forms.SlugField()
    quantity = forms.IntegerField(min_value=0, max_value=MOST)


class AddForm(QuantityForm):
    """How many more of which product."""

    quantity = forms.IntegerField(min_value=1, max_value=MOST)


class CheckoutForm(forms.Form):
    """The customer. The key is made with the page, so two clicks are one order."""

    name = forms.CharField(
        label="Your name",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="E-mail, for the report",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    idempotency_key = forms.CharField(
        max_length=100, widget=forms.HiddenInput, initial=lambda: uuid.uuid4().hex
    )
