"""The desk of the institution: first page, sign-in, accounts, outlets and their import, API tokens, audit log.

Responsible for the staff pages `/desk`, `/desk/sign-in`, `/desk/staff`, `/desk/outlets` and `/desk/audit`;
every route declares its permission. The one flow of an import: upload → preview (a plan, nothing written) → apply.
"""

from institution.desk import (
    account,
    approval_items,
    approval_path_pages,
    approvals,
    audit,
    home,
    me,
    oidc,
    outlet_bulk,
    outlet_forms,
    outlet_imports,
    outlet_pages,
    second_step,
    staff,
    staff_form,
    staff_imports,
    staff_secrets,
    stand_in_pages,
    token_pages,
)
from institution.desk.approval_routes import approvals_blueprint
from institution.desk.routes import audit_blueprint, outlets_blueprint, staff_blueprint, tokens_blueprint

__all__ = [
    "account",
    "approval_items",
    "approval_path_pages",
    "approvals",
    "approvals_blueprint",
    "audit",
    "audit_blueprint",
    "home",
    "me",
    "oidc",
    "outlet_bulk",
    "outlet_forms",
    "outlet_imports",
    "outlet_pages",
    "outlets_blueprint",
    "second_step",
    "staff",
    "staff_blueprint",
    "staff_form",
    "staff_imports",
    "staff_secrets",
    "stand_in_pages",
    "token_pages",
    "tokens_blueprint",
]
