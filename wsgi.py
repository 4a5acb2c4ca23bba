"""The WSGI callable for any server: `granian --interface wsgi wsgi:application`."""

from core.settings import Settings
from webapp.wsgi import build_application

application = build_application(Settings())
