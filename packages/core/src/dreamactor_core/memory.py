"""Memory that was freed goes back to the system."""

import ctypes


def release_freed() -> None:
    """Return freed memory to the system, where the C library is glibc.

    It keeps blocks of up to 32 MB for itself: after work on a few large arrays a process looks, and is, that much
    larger than what it holds, in every worker.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
