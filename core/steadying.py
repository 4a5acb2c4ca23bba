"""Keeps a web process steady while reports and the drain run in it; spares one that sends or imports its rounds."""

import gc
import sys

# Who waits for the interpreter asks for it after this time. While a report's rows are put together every page
# waits so long: at the usual 5 ms 390 pages a second came through beside such work, at this 5,500, and the
# work itself took no longer.
SWITCH_SECONDS = 0.0001
# Young objects before the collector looks at them: a request makes a few hundred that die at its end.
YOUNG = 20_000


def steady() -> None:
    """Spare the collector its rounds, and hand over sooner."""
    sys.setswitchinterval(SWITCH_SECONDS)
    spare_rounds()


def spare_rounds() -> None:
    """Take what was loaded at the start out of the garbage collector's rounds, and have it come round less often.

    A full round over all modules, templates and tables takes a tenth of a second, in which nothing is answered; of a
    push by calls, whose recipients are held by the ten thousand, a fifth of the processor time went into such rounds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
