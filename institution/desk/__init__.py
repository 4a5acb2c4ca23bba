"""The desk of the institution: first page, sign-in, accounts, outlets and their import, audit log.

Responsible for the staff pages `/desk`, `/desk/sign-in`, `/desk/staff`, `/desk/outlets` and `/desk/audit`; every route
declares its permission. The one flow of an import: upload → preview (a plan, nothing written) → apply.
"""

from institution.desk import (
    account,
    audit,
    home,
    me,
    oidc,
    outlet_forms,
    outlet_imports,
    outlet_pages,
    second_step,
    staff,
)
from institution.desk.routes import audit_blueprint, outlets_blueprint, staff_blueprint

__all__ = [
    "account",
    "audit",
    "audit_blueprint",
    "home",
    "me",
    "oidc",
    "outlet_forms",
    "outlet_imports",
    "outlet_pages",
    "outlets_blueprint",
    "second_step",
    "staff",
    "staff_blueprint",
]
