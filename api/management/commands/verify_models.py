"""`manage.py verify_models`: is every model folder what it says it is."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api.switching.verify import VerifiedFolder, verify_all


class Command(BaseCommand):
    """Check files, labels and golden answers of the shipped models and of MODEL_DIR; exit 1 when one is broken."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(verify_all())
        for line in _table(found):
            self.stdout.write(line)
        broken = [each for each in found if each.problem]
        for each in broken:
            self.stderr.write(f"{each.folder}: {each.problem}")
        if broken:
            raise CommandError(f"{len(broken)} of {len(found)} model folders are broken.")


def _table(found: list[VerifiedFolder]) -> list[str]:
    rows = [("model", "digest", "state", "verified", "folder")]
    rows += [
        (each.model, each.digest[:12], each.state, "broken" if each.problem else "ok", each.folder) for each in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
