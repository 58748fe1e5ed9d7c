# ruff: noqa: INP001 - a script beside scripts, not a package
"""What scripts/serve asks about the network. Standard library only: it runs before anything is installed.

    network.py check HOST PORT    exit 0 when a server can listen there
    network.py ready URL          exit 0 when the URL answers 200 within about a second
    network.py outward            print the address by which the local network reaches this machine

Otherwise the reason is printed, and the exit status is 1.
"""

import errno
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable


def check(host: str, port: str) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
            probe.bind((address[0], int(port), *address[2:]))
    except (OSError, OverflowError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            sys.exit(f"{host}:{port} is taken. Stop what listens there, or choose another port with PORT=8001.")
        sys.exit(f"cannot listen on {host}:{port} ({error}). Correct HOST or PORT.")


def ready(url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    answer = "nothing"
    give_up = time.monotonic() + 1
    while time.monotonic() < give_up:
        try:
            with opener.open(url, timeout=2):
                return
        except urllib.error.HTTPError as error:
            answer = f"{error.code} {error.read(500).decode(errors='replace')}"
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} answers {answer}")


def outward() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a datagram socket sends nothing here, it only picks a route
        except OSError as error:
            sys.exit(str(error))
        sys.stdout.write(probe.getsockname()[0])


QUESTIONS: dict[str, Callable[..., None]] = {"check": check, "ready": ready, "outward": outward}

if __name__ == "__main__":
    QUESTIONS[sys.argv[1]](*sys.argv[2:])
