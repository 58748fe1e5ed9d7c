#!/usr/bin/env python3
"""Django's command line, in the local profile unless SKIN_PROFILE says otherwise."""

import os
import sys


def main() -> None:
    os.environ.setdefault("SKIN_PROFILE", "local")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skin_disease.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415  (says what to do without Django)
    except ImportError as error:
        raise ImportError(
            "Django is not installed for this Python. Run ./scripts/serve once, then .venv/bin/python manage.py."
        ) from error
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
