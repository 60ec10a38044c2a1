"""The verbs of `manage.py tasks`: each declares its options and gives an answer."""
