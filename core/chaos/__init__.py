"""`manage.py tasks chaos`: hurt the user's own staging stack, and prove it survives."""
