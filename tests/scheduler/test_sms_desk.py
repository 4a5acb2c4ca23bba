"""An SMS from the account's form over the preview to the (sandboxed) platforms."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler.jobs import Outgoing
from scheduler.sandbox import sms_aliyun, sms_tencent
from scheduler.sandbox.core import Sandbox
from tests import entering, factories
from tests.scheduler import audience_cast
from tests.servers import free_port, listening
from webapp.create_app import create_app
from webapp.runtime import build

ALIYUN = {"login": sms_aliyun.ACCESS_KEY, "secret": sms_aliyun.SECRET, "option.sign_name": sms_aliyun.SIGN}
TENCENT = {
    "login": sms_tencent.SECRET_ID,
    "secret": sms_tencent.SECRET_KEY,
    "option.sign_name": sms_tencent.SIGN,
    "option.sdk_app_id": sms_tencent.APP,
}
CASES = [
    ("sms_aliyun", ALIYUN, sms_aliyun.PROMOTION, "${title}${link}", "title={title}\nlink= {link}"),
    ("sms_tencent", TENCENT, sms_tencent.PROMOTION, "{1}s.example.cn/{2}", "title={title}\nlink=x1"),
]


@pytest.fixture
def sandbox() -> Iterator[tuple[Sandbox, str]]:
    made, port = Sandbox(), free_port()
    made.add(sms_aliyun.SmsAliyun())
    made.add(sms_tencent.SmsTencent())
    with listening(made, port):
        yield made, f"http://127.0.0.1:{port}"


@pytest.fixture
def admin(settings: Settings) -> Iterator[FlaskClient]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, clock.now())
    app: Flask = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield entering.client(app, factories.ADMINISTRATOR)
    runtime.service(Outgoing).stop()
    runtime.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_an_sms_is_previewed_as_charged_and_tried(
    admin: FlaskClient, sandbox: tuple[Sandbox, str], case: tuple[str, dict[str, str], str, str, str]
) -> None:
    name, fields, template, body, parameters = case
    account = {"name": "短信", "address": f"{sandbox[1]}/{name}", "outlet_code": "", **fields}
    page = admin.post(f"/desk/channels/new?kind={name}", data=account, follow_redirects=True).text
    assert "渠道账号已保存" in page and fields["secret"] not in page
    runtime = admin.application.extensions["signpost"]
    with runtime[Database].transaction() as session:
        audience_cast.people(session, runtime[Vault], 1, clock.now())
    plan = {
        "name": "短信提醒", "route": f"{name}:1", "first_at": "2099-09-15T15:00", "subject": "退保前先问一问",
        "body": body, "summary": "先问一问。", "template": template, "parameters": parameters, "list_id": "1",
        "rhythm": "", "stale_hours": "6",
    }  # fmt: skip
    page = admin.post("/desk/plans/new", data=plan, follow_redirects=True).text
    assert "计划已保存" in page and 'class="phone sms"' in page and "【路标保险】退保前先问一问" in page
    assert "按 1 条计费" in page and "没有写怎样拒收" in page, "the body as written lacks the way out"
    tried = admin.post("/desk/plans/1/try", data={"to": "13912345678"}, follow_redirects=True).text
    assert "已交给平台" in tried
    (arrived,) = sandbox[0].arrived
    assert arrived.to.endswith("13912345678") and arrived.text.endswith("拒收请回复R")
    assert "没有写怎样拒收" not in _said_how(admin, plan | {"body": body + "拒收请回复R"})


def _said_how(admin: FlaskClient, plan: dict[str, str]) -> str:
    return admin.post("/desk/plans/new", data=plan | {"name": "再来"}, follow_redirects=True).text
