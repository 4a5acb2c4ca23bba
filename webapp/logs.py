"""Log lines of a serving process: one line each on stderr, no personal data, plain tracebacks."""

import logging
import sys

import structlog


def configure() -> None:
    """Set up structlog and quiet what says the same thing every second."""
    # A job that is still at work when its next turn comes is how the scheduler is meant to run.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,  # the pretty traceback costs half a second of processor
            structlog.processors.LogfmtRenderer(bool_as_flag=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
