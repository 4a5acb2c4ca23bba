"""The public pages of registration: the form and what it refuses, the holder's own page, the proof of work."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlmodel import func, select

from campaign.events.models import Occurrence
from campaign.registration import changing, showing
from campaign.registration.models import CANCELLED, CONFIRMED, OFFERED, Registration
from campaign.registration.work import Doorkeeper, solve
from core import clock
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from tests.campaign.registration import making
from webapp.runtime import Runtime

_CHALLENGE = re.compile(r'name="challenge" value="([^"]+)"')


def _form(client: FlaskClient, code: str, number: int, **more: str) -> dict[str, str]:
    page = client.get(f"/e/{code}").text
    found = _CHALLENGE.search(page)
    assert found, page
    bits = int(re.search(r'data-bits="(\d+)"', page)[1])  # type: ignore[index]
    values = {
        "name": f"李{number}", "phone": f"139{number:08d}", "agreed": "1", "minors": "0",
        "challenge": found[1], "proof": solve(found[1], bits),
    }  # fmt: skip
    return values | more


@pytest.fixture
def code(runtime: Runtime, request: pytest.FixtureRequest) -> str:
    """An occurrence of this test alone, with two seats."""
    name = f"t{abs(hash(request.node.name)) % 10**6}"
    with runtime.service(Database).transaction() as session:
        return making.occurrence(session, clock.now(), capacity=2, code=name).code


def test_who_registers_gets_a_page_of_their_own_and_may_cancel_there(
    client: FlaskClient, runtime: Runtime, code: str
) -> None:
    form = _form(client, code, 1, **{"companion-1": "李妈妈", "email": "li@example.com"})
    answer = client.post(f"/e/{code}", data=form)
    assert answer.status_code == 303
    page = client.get(answer.location)
    assert page.headers["Cache-Control"] == "no-store"
    assert "李妈妈" in page.text and "139****0001" in page.text and "13900000001" not in page.text
    again = client.post(f"/e/{code}", data=form)
    assert again.location == answer.location, "the same form registers once"
    mine = answer.location.partition("?")[0]
    assert client.post(f"{mine}/leave").status_code == 303
    with runtime.service(Database).reading() as session:
        one = session.exec(select(Registration).order_by(Registration.id.desc())).first()  # type: ignore[union-attr]
        assert one is not None and one.state == CANCELLED
        assert showing.occurrence_of(session, code).taken == 0


def test_who_comes_too_late_waits_and_takes_the_place_that_comes_free(
    client: FlaskClient, runtime: Runtime, code: str
) -> None:
    first = client.post(f"/e/{code}", data=_form(client, code, 11, minors="1")).location
    second = client.post(f"/e/{code}", data=_form(client, code, 12)).location
    assert "排第 1 位" in client.get(second).text
    client.post(f"{first.partition('?')[0]}/leave")
    mine = second.partition("?")[0]
    assert "有位置了" in client.get(mine).text
    client.post(f"{mine}/accept")
    assert "您的位置留好了" in client.get(mine).text
    with runtime.service(Database).reading() as session:
        assert showing.occurrence_of(session, code).taken == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"phone": "12345"}, "11 位手机号"),
        ({"name": " "}, "请填写姓名"),
        ({"agreed": ""}, "同意后再报名"),
        ({"email": "nobody"}, "邮箱地址不对"),
        ({"minors": "9"}, "一次最多报"),
        ({"challenge": "1.2.3.4"}, "重新打开"),
        ({"q-strange": "x"}, "不认识的问题"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_loses_nothing(
    client: FlaskClient, runtime: Runtime, code: str, wrong: dict[str, str], said: str
) -> None:
    answer = client.post(f"/e/{code}", data=_form(client, code, 21) | wrong)
    assert answer.status_code == 400 and said in answer.text
    assert 'value="13900000021"' in answer.text or "phone" in wrong
    with runtime.service(Database).reading() as session:
        number = showing.occurrence_of(session, code).id
        count = select(func.count()).where(Registration.occurrence_id == number)
        assert session.exec(count).one() == 0


def test_one_place_per_number_and_event(client: FlaskClient, code: str) -> None:
    client.post(f"/e/{code}", data=_form(client, code, 31))
    answer = client.post(f"/e/{code}", data=_form(client, code, 31))
    assert answer.status_code == 409 and "已经报过" in answer.text


def test_without_proof_of_work_a_form_needs_patience(
    client: FlaskClient, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = _form(client, code, 41) | {"proof": ""}
    refused = client.post(f"/e/{code}", data=form)
    assert refused.status_code == 400 and "稍等几秒" in refused.text
    made_up = client.post(f"/e/{code}", data=form | {"proof": "wrong"})
    assert made_up.status_code == 400 and "重新打开" in made_up.text
    later = clock.now() + timedelta(seconds=9)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.post(f"/e/{code}", data=form).status_code == 303


def test_a_challenge_is_ours_and_good_for_hours(runtime: Runtime) -> None:
    keeper, now = runtime.service(Doorkeeper), clock.now()
    challenge = keeper.challenge(7, now)
    proof = solve(challenge, keeper.bits)
    assert keeper.opened(challenge, proof, now)[0] == 7
    with pytest.raises(Invalid, match="打开太久"):
        keeper.opened(challenge, proof, now + timedelta(hours=5))
    for forged in (challenge.replace(".13.", ".0."), challenge.replace("7.", "8.", 1), "", "1.2.3.4"):
        with pytest.raises(Invalid, match="打开太久"):
            keeper.opened(forged, proof, now)


def test_a_personal_link_that_was_made_up_opens_nothing(
    client: FlaskClient, runtime: Runtime, code: str
) -> None:
    mine = client.post(f"/e/{code}", data=_form(client, code, 71)).location.partition("?")[0]
    good = mine.removeprefix("/my/")
    assert client.get(mine).status_code == 200
    number, _, signature = good.partition(".")
    for forged in (f"{int(number) - 1}.{signature}", good[:-1], number, f"{number}.", "x" * 500):
        assert client.get(f"/my/{forged}").status_code == 404
        assert client.post(f"/my/{forged}/leave").status_code == 404


def test_three_questions_are_answered_once_and_after_the_beginning(
    client: FlaskClient, runtime: Runtime, code: str
) -> None:
    mine = client.post(f"/e/{code}", data=_form(client, code, 51)).location.partition("?")[0]
    answers = {"understood": "5", "useful": "4", "again": "5", "words": "讲得慢一点更好"}
    assert "结束后再来" in client.post(f"{mine}/feedback", data=answers).text
    with runtime.service(Database).transaction() as session:
        one = showing.occurrence_of(session, code)
        one.starts_at, one.ends_at = clock.now() - timedelta(hours=2), clock.now() - timedelta(hours=1)
    assert "请每一题都点一个" in client.post(f"{mine}/feedback", data=answers | {"useful": "9"}).text
    assert client.post(f"{mine}/feedback", data=answers).status_code == 303
    assert "收到了，谢谢您" in client.get(f"{mine}/feedback").text
    assert client.post(f"{mine}/feedback", data=answers).status_code == 400


def test_the_page_says_whether_there_is_room(client: FlaskClient, runtime: Runtime, code: str) -> None:
    assert "只剩 2 个位置" in client.get(f"/e/{code}").text
    with runtime.service(Database).transaction() as session:
        one = showing.occurrence_of(session, code)
        one.opens_at = clock.now() + timedelta(days=1)
    assert "还没有开始报名" in client.get(f"/e/{code}").text
    with runtime.service(Database).transaction() as session:
        one = showing.occurrence_of(session, code)
        one.opens_at, one.closes_at = clock.now() - timedelta(days=1), clock.now() - timedelta(hours=1)
    assert "报名截止了" in client.get(f"/e/{code}").text
    assert client.get("/e/nothing").status_code == 404


def test_staff_reasons_reach_the_person(client: FlaskClient, runtime: Runtime, code: str) -> None:
    with runtime.service(Database).transaction() as session:
        where = session.exec(select(Occurrence).where(Occurrence.code == code)).one()
        where.approval = True
        made = making.party(session, runtime.service(Vault), where, 61, now=clock.now())
        number = made.id or 0
    mine = f"/my/{runtime.service(Doorkeeper).link(number)}"
    assert "等网点审核" in client.get(mine).text
    with runtime.service(Database).transaction() as session:
        changing.decide(session, number, accepted=False, reason="这场只给新市民", now=clock.now())
    assert "这场只给新市民" in client.get(mine).text
    assert {CONFIRMED, OFFERED}.isdisjoint({changing.get(session, number).state})
