"""The local profile over a temporary data folder; what tests need differently, and nothing else."""

import os
import tempfile

_data_dir = tempfile.TemporaryDirectory(prefix="skin-tests-")
os.environ["SKIN_PROFILE"] = "local"
os.environ["DATA_DIR"] = _data_dir.name
os.environ.pop("SECRET_KEY", None)

from skin_disease.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
STATIC_ROOT.mkdir()  # noqa: F405 - WhiteNoise warns about a missing folder; collectstatic would make it
DELIVERY_THREADS = 0  # a code that was asked for has been sent when the answer comes
THROTTLE_RATES = dict.fromkeys(THROTTLE_RATES)  # noqa: F405 - off, but for the tests of throttles
