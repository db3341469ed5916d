"""What all tests share."""

from __future__ import annotations

import signal

# What a shell starts in the background ignores Ctrl-C, and children inherit that: tests of Ctrl-C would find nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
