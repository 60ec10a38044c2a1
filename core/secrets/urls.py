"""URLs as they may be shown."""


def without_password(url: str) -> str:
    """Return the URL without what must not be printed: password and query."""
    scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
    location, _, query = rest.partition("?")
    credentials, at, host = location.rpartition("@")
    if not at and "@" in query:
        # A password with a question mark: nothing after the scheme is safe.
        return f"{scheme}{separator}***"
    user, colon, _ = credentials.partition(":")
    mask = ":***" if colon else ""
    return f"{scheme}{separator}{user}{mask}{at}{host}"
