"""The views of the shop: HTML pages and a JSON API."""
