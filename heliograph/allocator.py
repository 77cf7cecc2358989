"""The C library's allocator in a process whose requests take and free the same few megabytes again and again."""

import ctypes

# From malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3

# Mapping 500 spans touches about 3 MB. By default most of them went back to the kernel after each request and came
# back page by page: 700 page faults, a tenth of the time.
_KEPT_BYTES = 32 << 20
# What is larger alone, a whole request body, still goes back at once.
_MAPPED_ALONE_BYTES = 4 << 20


def keep_freed_memory() -> None:
    """Keep some freed memory for the next request; does nothing where the C library has no such option."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_TRIM_THRESHOLD, _KEPT_BYTES)
        set_option(_MMAP_THRESHOLD, _MAPPED_ALONE_BYTES)
