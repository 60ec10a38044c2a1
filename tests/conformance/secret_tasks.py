"""Actors with something to hide."""

from core import Secret, actor


@actor(max_retries=0)
def refuse(user: str, password: Secret[str]) -> None:
    """Tell everybody what was wrong with the password."""
    raise PermissionError(f"{user} may not come in with {password}")
