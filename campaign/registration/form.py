"""What a public form of registration says, whoever reads it: the page's view, or the door before Flask."""

from typing import Any

from werkzeug.datastructures import MultiDict

from campaign.registration.entry import Wanted

MOST_COMPANIONS = 9
_NAME, _PHONE, _EMAIL = 200, 60, 250


def wanted(form: MultiDict[str, str], **more: Any) -> Wanted:
    """What the form asks for; `more` are the fields of `Wanted` that it does not say. Nothing is checked here."""
    companions, minors = party(form)
    return Wanted(
        name=form.get("name", "")[:_NAME],
        phone=form.get("phone", "")[:_PHONE],
        email=form.get("email", "")[:_EMAIL],
        companions=companions,
        minors=minors,
        chosen={name[2:]: text for name, text in form.items() if name.startswith("o-") and text},
        answers={name[2:]: text for name, text in form.items() if name.startswith("q-")},
        agreed=form.get("agreed") == "1",
        **more,
    )


def party(form: MultiDict[str, str]) -> tuple[tuple[str, ...], int]:
    """The names of companions, and how many children come along."""
    names = [form.get(f"companion-{number}", "")[:_NAME] for number in range(1, MOST_COMPANIONS + 1)]
    young = form.get("minors", "0")
    return tuple(one for one in names if one.strip()), int(young) if young.isdecimal() and len(
        young
    ) < 3 else 0
