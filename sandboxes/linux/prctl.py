"""prctl(2): requests of a process to the kernel about itself. On other systems than Linux, these do nothing.

Programs that run where this package cannot be imported have their own call: `inside/executor.py` and
`tasks/engines/supervised/supervised_process.py`.
"""

import ctypes
import sys
from signal import Signals

_PR_SET_PDEATHSIG = 1


def die_with_parent(signal: Signals) -> None:
    """Have the kernel send this process a signal when the thread that started it ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal)
