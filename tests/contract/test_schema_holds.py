"""The OpenAPI schema against the server: whatever the schema allows is answered as the schema says.

Bounded, and with these checks alone; what is hostile on purpose stands in other tests.
"""

from pathlib import Path

import hypothesis
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from rest_framework_simplejwt.tokens import AccessToken
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import User

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MAX_EXAMPLES = 12

schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())


@pytest.fixture
def headers(db, settings, tmp_path: Path) -> dict[str, str]:
    """Of somebody with an account."""
    settings.MEDIA_ROOT = tmp_path / "media"
    person = User.objects.create_user("ada@example.org", "vK3!plum-tree", phone="+352621123456")
    return {"Authorization": f"Bearer {AccessToken.for_user(person)}"}


@schema.parametrize()
@hypothesis.settings(
    max_examples=MAX_EXAMPLES,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),  # one person and one folder serve all examples of a route
)
def test_route_answers_as_its_schema_says(case: schemathesis.Case, headers: dict[str, str]):
    case.call_and_validate(headers=headers, checks=CHECKS)
