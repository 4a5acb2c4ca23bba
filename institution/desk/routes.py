"""The blueprints of this desk."""

from flask import Blueprint

staff_blueprint = Blueprint("staff", __name__, url_prefix="/desk", template_folder="../templates")
outlets_blueprint = Blueprint(
    "institution_desk", __name__, url_prefix="/desk/outlets", template_folder="../templates"
)
tokens_blueprint = Blueprint(
    "api_tokens", __name__, url_prefix="/desk/api-tokens", template_folder="../templates"
)
audit_blueprint = Blueprint("audit", __name__, url_prefix="/desk/audit", template_folder="../templates")
