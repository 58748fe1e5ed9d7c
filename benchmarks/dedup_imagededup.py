"""imagededup's side of the comparison; run by the Python of its own environment, it imports nothing of this project.

imagededup imports PyTorch, gigabytes that only its neural network needs, together with its hashes: the two modules that
do so are left out here, the hashes are its own. Asked on the command line, it answers with a JSON file.
"""

import argparse
import json
import logging
import sys
import time
import types
import warnings
from pathlib import Path

for module, name in (("imagededup.methods.cnn", "CNN"), ("imagededup.utils.models", "CustomModel")):
    sys.modules[module] = types.ModuleType(module)
    setattr(sys.modules[module], name, None)
logging.disable(logging.INFO)
warnings.simplefilter("ignore")  # it warns of its own default arguments

from imagededup.methods import PHash  # type: ignore[import-not-found]  # noqa: E402 - of the other environment


def main() -> None:
    """Encode a folder, then look for duplicates in all of it, or in each of several lists of its files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("answer", type=Path)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--radius", type=int, required=True)
    parser.add_argument("--pools", type=Path, help="JSON: lists of file names; pairs are answered for each")
    options = parser.parse_args()

    hasher = PHash(verbose=False)
    started = time.perf_counter()
    hashes = hasher.encode_images(options.folder, num_enc_workers=options.workers)
    encoded = time.perf_counter()
    pools = json.loads(options.pools.read_text()) if options.pools else [list(hashes)]
    found = [
        hasher.find_duplicates(
            encoding_map={name: hashes[name] for name in pool if name in hashes},
            max_distance_threshold=options.radius,
            scores=True,
            num_dist_workers=options.workers,
        )
        for pool in pools
    ]
    done = time.perf_counter()
    pairs = [
        sorted((name, other, int(bits)) for name, others in each.items() for other, bits in others if name < other)
        for each in found
    ]
    options.answer.write_text(
        json.dumps(
            {
                "encode_s": encoded - started,
                "find_s": done - encoded,
                "encoded": len(hashes),
                "pairs": pairs if options.pools else [],
            }
        )
    )


if __name__ == "__main__":
    main()
