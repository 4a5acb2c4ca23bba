"""The desk of the institution: first page, sign-in, accounts, outlets and their import.

Responsible for the staff pages `/desk`, `/desk/sign-in`, `/desk/staff` and `/desk/outlets`; every route
declares its permission. The one flow of an import: upload → preview (a plan, nothing written) → apply.
"""

from institution.desk import account, outlet_forms, outlet_imports, outlet_pages, staff
from institution.desk.routes import outlets_blueprint, staff_blueprint

__all__ = [
    "account",
    "outlet_forms",
    "outlet_imports",
    "outlet_pages",
    "outlets_blueprint",
    "staff",
    "staff_blueprint",
]
