"""The blueprint of the desk of content."""

from flask import Blueprint

blueprint = Blueprint("content_desk", __name__, url_prefix="/desk", template_folder="../templates")
