"""On a developer's machine: nothing to set up, nothing to keep secret."""

from settings.base import *  # noqa: F403  # an environment is the base and its changes
from settings.environment import env

DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = env.str("SECRET_KEY", default="a key for development, known to everybody")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
