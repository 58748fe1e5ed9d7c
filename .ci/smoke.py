# ruff: noqa: INP001 - a script beside .ci/run, not a package
"""Prove that the serving environment answers a photo and holds no training library: `smoke.py SITE PHOTO`.

Run by the Python of that environment.
"""

import importlib.metadata
import importlib.util
import json
import sys
import urllib.request
import uuid
from pathlib import Path

TRAINING_LIBRARIES = ("tensorflow", "tf-", "tf_", "keras")
EXPECTED_KEYS = {"diagnosis", "confidence", "severity", "advice", "isSafe", "probabilities"}


def post_photo(url: str, photo: Path) -> dict[str, object]:
    """Post the photo as the phone app does."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="skin.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    request = urllib.request.Request(  # noqa: S310 - the caller's own server
        url,
        data=head.encode() + photo.read_bytes() + f"\r\n--{boundary}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        answer: dict[str, object] = json.load(response)
    return answer


def main(site: str, photo: Path) -> None:
    answer = post_photo(f"{site}/api/predict/skin-disease/", photo)
    sys.stdout.write(f"{photo.name}: {answer}\n")
    if missing := EXPECTED_KEYS - answer.keys():
        sys.exit(f"The answer lacks {sorted(missing)}.")

    names = sorted(distribution.name.lower() for distribution in importlib.metadata.distributions())
    if found := [name for name in names if name.startswith(TRAINING_LIBRARIES)]:
        sys.exit(f"The serving environment holds {found}; requirements-serve.txt must not bring them in.")
    if importlib.util.find_spec("tensorflow"):
        sys.exit("The serving environment can import tensorflow.")
    sys.stdout.write(f"{len(names)} distributions, none of them for training: {', '.join(names)}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
