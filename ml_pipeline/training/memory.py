"""Keeping freed memory in the process."""

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # mallopt(3), glibc
_TWO_GIB, _QUARTER_GIB = 2**31 - 1, 2**28


def keep_freed_memory() -> None:
    """Tell glibc to reuse freed buffers rather than give them back to the kernel; nothing happens under other libcs.

    A training step frees and allocates hundreds of megabytes; in a virtual machine their page faults are dear.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for parameter, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _TWO_GIB), (_TOP_PAD, _QUARTER_GIB)):
        mallopt(parameter, value)
