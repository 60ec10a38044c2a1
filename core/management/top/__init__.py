"""manage.py tasks top: everything on one page, as it goes."""
