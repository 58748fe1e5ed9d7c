"""Django settings: two profiles, everything else from the environment.

SKIN_PROFILE=production (the default) refuses to start without SECRET_KEY and ALLOWED_HOSTS and insists on HTTPS.
SKIN_PROFILE=local (the default of manage.py and ./scripts/serve) runs on this machine over plain HTTP.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from ml_models.shipped import SHIPPED_MODEL
from skin_disease import data_dir, environment

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = environment.path("DATA_DIR", BASE_DIR / "var", base=BASE_DIR)
IS_LOCAL = environment.choice("SKIN_PROFILE", ("local", "production"), "production") == "local"
TRUST_PROXY = environment.flag("TRUST_PROXY")

data_dir.prepare(DATA_DIR)


# Secrets, hosts and transport


def _debug() -> bool:
    debug = environment.flag("DEBUG")
    if debug and not IS_LOCAL:
        raise ImproperlyConfigured("DEBUG is 1 in the production profile, where it leaks settings. Unset DEBUG.")
    return debug


def _secret_key() -> str:
    key = environment.text("SECRET_KEY")
    if IS_LOCAL and not key:
        return data_dir.local_secret_key(DATA_DIR)
    if len(key) < data_dir.SECRET_KEY_MIN_LENGTH:
        raise ImproperlyConfigured(
            f"SECRET_KEY has {len(key)} characters, but must have at least {data_dir.SECRET_KEY_MIN_LENGTH}. "
            'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(64))". '
            "To try things out on this machine, set SKIN_PROFILE=local instead."
        )
    return key


def _allowed_hosts() -> list[str]:
    hosts = environment.words("ALLOWED_HOSTS")
    if IS_LOCAL:
        bound = environment.text("HOST")
        concrete = [] if bound in ("", "0.0.0.0", "::") else [f"[{bound}]" if ":" in bound else bound]  # noqa: S104
        return list(dict.fromkeys(["localhost", "127.0.0.1", "[::1]", *concrete, *hosts]))
    if not hosts:
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS is empty. Set it to the names this server answers to, such as ALLOWED_HOSTS=api.example.org"
        )
    return hosts


DEBUG = _debug()
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = _allowed_hosts()

SECURE_SSL_REDIRECT = not IS_LOCAL
SECURE_REDIRECT_EXEMPT = [r"^healthz/?$", r"^readyz/?$"]  # probes speak plain HTTP inside the machine
SECURE_HSTS_SECONDS = 0 if IS_LOCAL else environment.integer("HSTS_SECONDS", 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = not IS_LOCAL
SECURE_HSTS_PRELOAD = not IS_LOCAL
SESSION_COOKIE_SECURE = not IS_LOCAL
CSRF_COOKIE_SECURE = not IS_LOCAL
# Without a trusted proxy in front, the header is the client's word and would switch the HTTPS redirect off.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
USE_X_FORWARDED_HOST = TRUST_PROXY  # for the absolute addresses of photos; ALLOWED_HOSTS judges it like any other

CORS_ALLOWED_ORIGINS = environment.words("CORS_ALLOWED_ORIGINS")
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key"]
CORS_EXPOSE_HEADERS = ["retry-after"]
CORS_ALLOW_METHODS = ["GET", "POST", "PATCH", "DELETE", "OPTIONS"]


# Application

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "rest_framework_simplejwt",  # its translations
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "api",
    "web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # before everything that words an answer, refusals included
    "skin_disease.middleware.RefusalMiddleware",
    "skin_disease.middleware.TrailingSlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
CSRF_FAILURE_VIEW = "api.error_views.csrf_failure"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "skin_disease.urls"
WSGI_APPLICATION = "skin_disease.wsgi.application"
APPEND_SLASH = False  # TrailingSlashMiddleware serves both forms without a redirect

LANGUAGE_CODE = "en"  # of the log; answers are in that of Accept-Language
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = environment.time_zone("TIME_ZONE", "UTC")
USE_TZ = True


# People

AUTH_USER_MODEL = "accounts.User"
_VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "full_name", "phone")},
    },
    {"NAME": f"{_VALIDATORS}.MinimumLengthValidator"},
    {"NAME": f"{_VALIDATORS}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATORS}.NumericPasswordValidator"},
]
# The app in people's hands asks for codes only after the login, so `required` is for other clients (accounts/services).
EMAIL_VERIFICATION = environment.choice("EMAIL_VERIFICATION", ("optional", "required"), "optional")
PRIVACY_CONTACT = environment.text("PRIVACY_CONTACT")  # whom people ask about their data, in the privacy notice


# Codes on their way (accounts/delivery.py)

EMAIL_HOST = environment.text("EMAIL_HOST")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = environment.integer("EMAIL_PORT", 587, minimum=1, maximum=65_535)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_SSL = EMAIL_PORT == 465  # noqa: PLR2004 - TLS from the first byte has a port of its own; others upgrade
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", default=True) and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", "webmaster@localhost")
SMS_PROVIDER = environment.text("SMS_PROVIDER", "accounts.sms.ConsoleProvider")
DELIVERY_THREADS = environment.integer("DELIVERY_THREADS", 2, maximum=32)  # 0: in the request's own thread


# Data

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        # Closing the last connection of a WAL database checkpoints and syncs it: not after every request.
        "CONN_MAX_AGE": 600,
        "OPTIONS": {
            # A transaction that reads first and then writes cannot wait for the lock; one that starts as a writer can.
            "transaction_mode": "IMMEDIATE",
            "timeout": environment.integer("DATABASE_TIMEOUT_S", 20, minimum=1),  # how long a locked one is waited for
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    },
}

# Private: no route serves this folder. A view hands out single files after it has checked a signature.
MEDIA_ROOT = DATA_DIR / "media"
STATIC_ROOT = DATA_DIR / "static"
STATIC_URL = "static/"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {
        # Hashed names need the manifest that collectstatic writes; locally pages must work before it ever ran.
        "BACKEND": (
            "whitenoise.storage.CompressedStaticFilesStorage"
            if IS_LOCAL
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        ),
    },
}


# Photos and the model

FILE_UPLOAD_HANDLERS = ["api.uploads.BoundedMemoryUploadHandler"]
MAX_UPLOAD_BYTES = environment.integer("MAX_UPLOAD_BYTES", 25 * 1024 * 1024, minimum=1)
MODEL_ARTEFACT = environment.path("MODEL_ARTEFACT", SHIPPED_MODEL, base=BASE_DIR)  # answers while no version is active
MODEL_DIR = environment.path("MODEL_DIR", DATA_DIR / "models", base=BASE_DIR)  # of versions; shared by all replicas
INFERENCE_POOL_SIZE = environment.integer("INFERENCE_POOL_SIZE", 2, minimum=1, maximum=64)  # interpreters per worker
INFERENCE_TIMEOUT_S = environment.integer("INFERENCE_TIMEOUT_S", 10, minimum=1)  # how long a photo waits for its turn
ANONYMOUS_RETENTION_DAYS = environment.integer("ANONYMOUS_RETENTION_DAYS", 30, minimum=1)
RETENTION_DAYS = environment.integer("RETENTION_DAYS", 0)  # 0: kept until the person deletes it
CLAIM_HOURS = environment.integer("CLAIM_HOURS", 24)  # how long an anonymous answer can become that of who saves it
IDEMPOTENCY_HOURS = environment.integer("IDEMPOTENCY_HOURS", 24, minimum=1)  # how long an Idempotency-Key is known
PHOTO_URL_HOURS = environment.integer("PHOTO_URL_HOURS", 24, minimum=1)  # how long a photo's address opens, at least
PDF_PAPER = environment.choice("PDF_PAPER", ("a4", "letter"), "a4")


# Finding a dermatologist (api/directory)

DIRECTORY_PROVIDER = "api.directory.provider.ImportedDirectory"
DIRECTORY_RADIUS_KM = environment.integer("DIRECTORY_RADIUS_KM", 50, minimum=1, maximum=20_000)


# Throttles (accounts/throttles.py): NAME is for one person, or one e-mail tried from one address; NAME_ADDRESS for all
# behind one address, which may be a carrier's with many phones; NAME_EMAIL for one e-mail tried from anywhere.

THROTTLE_RATES = {
    name.lower(): environment.rate(f"THROTTLE_{name}", default)
    for name, default in {
        "API": "120/minute",
        "API_ADDRESS": "1200/minute",
        "PREDICT": "30/minute",
        "PREDICT_ADDRESS": "300/minute",
        "REGISTER": "10/hour",
        "REGISTER_ADDRESS": "60/hour",
        "LOGIN": "20/hour",
        "LOGIN_EMAIL": "60/hour",
        "LOGIN_ADDRESS": "300/hour",
        "CODE_SEND": "6/hour",
        "CODE_SEND_ADDRESS": "60/hour",
        "CODE_CHECK": "20/hour",  # also of the current password
        "CODE_CHECK_ADDRESS": "300/hour",
        "EXPORT": "6/hour",
        "EXPORT_ADDRESS": "60/hour",
    }.items()
}


# Overload: what one worker takes on before it says 503 (skin_disease/front.py)

MAX_QUEUED_PHOTOS = environment.integer("MAX_QUEUED_PHOTOS", 64)
MAX_BUFFERED_BYTES = environment.integer("MAX_BUFFERED_BYTES", 128 * 1024 * 1024, minimum=1)
REQUEST_TIMEOUT_S = environment.integer("REQUEST_TIMEOUT_S", 120, minimum=1)  # for a whole upload


# HTTP API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttles.Throttle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.exceptions.exception_handler",
    # Whose address counts for throttles: the client may write X-Forwarded-For itself.
    "NUM_PROXIES": 1 if TRUST_PROXY else 0,
}

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=environment.integer("ACCESS_TOKEN_MINUTES", 720, minimum=1)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=environment.integer("REFRESH_TOKEN_DAYS", 30, minimum=1)),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,  # a new password ends every token that was given before it
    "UPDATE_LAST_LOGIN": False,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Skin lesion API",
    "DESCRIPTION": (
        "Answers a photo of a skin lesion: what it most likely is, how sure that is, and when not to trust it. "
        "This is not a medical device and does not replace a dermatologist."
    ),
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}


# Logging: one stream, no bodies

LOG_LEVEL = environment.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own handlers print only while DEBUG, and mail administrators otherwise.
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # gunicorn 27 warns at every HEAD request that it drops the body, which Django leaves to the server by design.
        "gunicorn.http.wsgi": {"level": "ERROR"},
    },
}
