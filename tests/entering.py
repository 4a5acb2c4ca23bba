"""Signed-in test clients without the form: the session row is made as signing in makes it."""

from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session

from core import clock
from core.database import Database
from core.settings import Settings
from institution import people, sessions
from institution.access import SignedIn
from institution.models import Staff
from institution.sessions import Loaded


def begun(session: Session, account: Staff, hours: float = 12.0) -> SignedIn:
    """A person with a new session that showed its second factor, as a request would load them."""
    now = clock.now()
    made, token = sessions.begin(
        session, account, address="127.0.0.1", agent="tests", now=now, hours=hours, second_factor_at=now
    )
    return SignedIn(Loaded(made, account, sessions.powers_of(session, account.id or 0)), token)


def client(app: Flask, login: str) -> FlaskClient:
    """A client whose cookie is the session of `login`."""
    runtime = app.extensions["signpost"]
    with runtime[Database].transaction() as session:
        account = people.by_login(session, login)
        assert account is not None, login
        person = begun(session, account, runtime[Settings].session_hours)
    made = app.test_client()
    with made.session_transaction() as cookie:
        cookie["_user_id"] = person.get_id()
        cookie["_fresh"] = True
        cookie.permanent = True
    return made
