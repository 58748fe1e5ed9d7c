"""`manage.py replay PREDICTION_ID`: does the recorded model still give the recorded answer to the stored photos."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api.switching.replay import ELSEWHERE, SAME_MACHINE, ReplayImpossible, replay_prediction


class Command(BaseCommand):
    """Answer the stored photos of a prediction again and compare; exit 1 when it cannot be done, or differs."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prediction_id", type=uuid.UUID)

    def handle(self, *args: Any, prediction_id: uuid.UUID, **options: Any) -> None:
        try:
            replay = replay_prediction(prediction_id=prediction_id)
        except ReplayImpossible as error:
            raise CommandError(f"Prediction {prediction_id} cannot be replayed: {error}") from error
        for image in replay.images:
            self.stdout.write(f"Photo {image.position + 1}: probabilities off by at most {image.difference:.2g}.")
        if replay.difference > ELSEWHERE:
            raise CommandError(
                f"{replay.model} does not give the recorded answer any more: off by {replay.difference:.2g}, and "
                f"another machine explains no more than {ELSEWHERE:g}."
            )
        if replay.changed:
            raise CommandError(
                f"{replay.model} gives the recorded probabilities, but this code decides otherwise on them: "
                f"{'; '.join(replay.changed)}."
            )
        kind = "the same answer" if replay.difference <= SAME_MACHINE else "the answer up to another machine's rounding"
        self.stdout.write(f"{replay.model} gives {kind}.")
