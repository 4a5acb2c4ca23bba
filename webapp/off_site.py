"""Who is told when a piece is taken down: plugged together, in every process."""

from campaign import withdrawn as campaign
from content.off_site import pictures, withdrawing
from scheduler import withdrawn as scheduler


def plug() -> None:
    """Plug in what shows or sends pieces; again: changes nothing."""
    withdrawing.on_withdraw(scheduler.halt, scheduler.concerned)
    withdrawing.on_withdraw(None, campaign.concerned)
    pictures.also_used(campaign.heroes)
