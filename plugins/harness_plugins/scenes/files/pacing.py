"""Recordings at another rate: which recorded picture is shown at each moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.errors import SceneError

# Seconds; a picture recorded this little after a moment still counts as recorded by then.
_ROUNDING = 1e-4
# Seconds; recordings of rooms take minutes, and a broken time stamp makes years of them.
LONGEST = 6 * 3600.0
# How often a picture is shown on the mean at most, and pictures that a pause of recording may
# stand for: so that a few pictures and a wrong time make no video of hours.
MOST_SHOWINGS, LONGEST_PAUSE = 60, 120


def shown_at_rate(times: Sequence[float], rate: float, where: str) -> NDArray[np.intp]:
    """(k,) index of the last picture recorded by each of the moments 0, 1 / rate, 2 / rate, ...

    Counted from the first picture to the last. The recording keeps its own time: pictures repeat
    where it was slower than the rate, and are passed over where it was faster.

    Args:
        times: seconds, increasing, at least one.
        rate: pictures a second.
        where: file or folder, for messages.

    Raises:
        SceneError: the recording takes more than six hours, or has hardly a picture in them.
    """
    seconds = np.asarray(times, dtype=np.float64)
    seconds = seconds - seconds[0]
    if seconds[-1] > LONGEST:
        raise SceneError(
            f"{where}: a recording of {seconds[-1]:.0f} s, expected at most {LONGEST:.0f}: a time "
            "in it is wrong"
        )
    count = int(np.floor((seconds[-1] + _ROUNDING) * rate)) + 1
    if count > MOST_SHOWINGS * (len(seconds) + LONGEST_PAUSE):
        raise SceneError(
            f"{where}: {len(seconds)} pictures in {seconds[-1]:.0f} s: a time in it is wrong"
        )
    moments = np.arange(count) / rate
    return np.asarray(np.searchsorted(seconds, moments + _ROUNDING, side="right") - 1)
