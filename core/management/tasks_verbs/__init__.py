"""What `manage.py tasks` can do: each verb declares its options and gives an answer."""
