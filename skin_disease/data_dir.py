"""The one writable folder: database, media, collected static files and the local secret key.

Owns its creation and its permissions; does not know what the files hold.
"""

import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SECRET_KEY_MIN_LENGTH = 50
"""What `manage.py check --deploy` asks for (security.W009)."""


def prepare(data_dir: Path) -> None:
    """Create the folder, readable by its owner alone, when it is missing."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"DATA_DIR {data_dir} cannot be created: {error.strerror}. Set DATA_DIR to a folder this user can write."
        ) from error


def local_secret_key(data_dir: Path) -> str:
    """The key in `secret_key`, created with mode 0600 by whichever process comes first.

    The complete file is linked into place, which fails where one exists already. So all processes that race
    for the first start read the same key, and none ever reads half of it.
    """
    key_file = data_dir / "secret_key"
    if not key_file.exists():
        _link_new_key(key_file)
    key = key_file.read_text(encoding="ascii").strip()
    if len(key) < SECRET_KEY_MIN_LENGTH:
        raise ImproperlyConfigured(
            f"{key_file} holds {len(key)} characters, but a key needs {SECRET_KEY_MIN_LENGTH}. "
            "Delete the file; the next start writes a new one, and everybody has to log in again."
        )
    return key


def _link_new_key(key_file: Path) -> None:
    descriptor, draft = tempfile.mkstemp(prefix=".secret_key-", dir=key_file.parent)  # mkstemp gives mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(64))
        os.link(draft, key_file)
    except FileExistsError:
        pass  # another process was faster; its key is the key
    finally:
        Path(draft).unlink()
