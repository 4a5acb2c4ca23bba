"""The only place that knows status codes; one shape for pages, one for JSON."""

from flask import Flask, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests

from core.errors import Conflict, DomainError, Gone, Invalid, NotAllowed, NotFound
from core.i18n import gettext as _

STATUS = {Gone: 410, NotFound: 404, Invalid: 400, Conflict: 409, NotAllowed: 403}


def status_of(error: DomainError) -> int:
    """The status code of a domain error; the most specific class counts."""
    return next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)


def register(app: Flask) -> None:
    """Translate domain errors and HTTP errors into pages or JSON."""
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)


def _domain_error(error: DomainError) -> ResponseReturnValue:
    return _answer(status_of(error), str(error), error.field)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()
    sentences = {
        400: _("请求不完整，请返回上一页再试。"),
        401: _("请先登录。"),
        403: _("您没有权限打开这一页。"),
        404: _("没有找到这一页，可能已经更名或撤下。"),
        405: _("这个地址不能这样使用。"),
        413: _("发来的内容太大，请换小一些的文件，或分几次提交。"),
        414: _("这个地址太长，请从页面上的链接重新打开。"),
        431: _("浏览器带来的信息太多，请清除本站的 Cookie 后再试。"),
        429: _("操作太频繁，请稍后再试。"),
    }
    if isinstance(error, InternalServerError):
        return _answer(500, _("页面出了点问题，我们已经记录。请稍后再试。"))
    if request.path.startswith("/api/"):
        sentences[401] = _("请在 Authorization 里带上有效的接口令牌（Bearer）。")
        sentences[404] = _("没有这个接口地址，请核对 /api/v1/openapi.json。")
    answer = make_response(
        _answer(error.code, sentences.get(error.code, _("页面出了点问题，我们已经记录。请稍后再试。")))
    )
    if error.code == 401 and request.path.startswith("/api/"):
        answer.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests) and error.retry_after:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _answer(status: int, sentence: str, field: str | None = None) -> ResponseReturnValue:
    wants_json = request.path.startswith(("/api/", "/internal/")) or (
        request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
    )
    if wants_json:
        named = {"field": field} if field else {}
        return jsonify({"error": {"status": status, "message": sentence, **named}}), status
    desk = request.path.startswith("/desk")
    return render_template(
        "desk_error.html" if desk else "error.html", status=status, sentence=sentence
    ), status
