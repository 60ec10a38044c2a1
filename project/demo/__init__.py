"""make demo: the same shop, first on Celery, then on Dramatiq, told in figures."""
