"""Recordings at another rate: which recorded picture is shown at each moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Seconds; a picture recorded this little after a moment still counts as recorded by then.
_ROUNDING = 1e-4
# A day at 60 pictures a second; more is a broken clock.
MOST_PICTURES = 24 * 3600 * 60


def shown_at_rate(times: Sequence[float], rate: float) -> NDArray[np.intp]:
    """(k,) index of the last picture recorded by each of the moments 0, 1 / rate, 2 / rate, ...

    Counted from the first picture to the last. The recording keeps its own time: pictures repeat
    where it was slower than the rate, and are passed over where it was faster.

    Args:
        times: seconds, increasing, at least one.
        rate: pictures a second.
    """
    seconds = np.asarray(times, dtype=np.float64)
    seconds = seconds - seconds[0]
    count = min(int(np.floor((seconds[-1] + _ROUNDING) * rate)) + 1, MOST_PICTURES)
    moments = np.arange(count) / rate
    return np.asarray(np.searchsorted(seconds, moments + _ROUNDING, side="right") - 1)
