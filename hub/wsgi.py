"""The WSGI application that granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
application = get_wsgi_application()
# What is there now stays: the garbage collector need not look through all of it again in the middle of a message.
# Measured with a message of 1,000 trouble tickets: 60 to 130 ms less.
gc.collect()
gc.freeze()
