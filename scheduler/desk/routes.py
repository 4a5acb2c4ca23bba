"""The blueprint of the desk of pushing."""

from flask import Blueprint

blueprint = Blueprint("scheduler_desk", __name__, url_prefix="/desk", template_folder="../templates")
