"""What all parts of a room's file are made of: texts in two languages, names, lists that may be one."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic import model_validator as model_rule
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

Id = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Picture = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\.svg$")]
_Said = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=4000)]


class Part(BaseModel):
    """A part of the file: never changes, knows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Part):
    """Words that players see: `标题`, or `{zh: 标题, en: Title}`. Long ones are Markdown."""

    zh: _Said
    en: _Said | None = None

    @model_rule(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        if not isinstance(given, str | dict | Text):
            raise ValueError("text")
        return {"zh": given} if isinstance(given, str) else given

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        """Both forms, so that an editor offers both."""
        one = {"type": "string", "minLength": 1, "maxLength": 4000}
        both = {"type": "object", "properties": {"zh": one, "en": one}, "required": ["zh"]}
        return {"anyOf": [one, {**both, "additionalProperties": False}]}

    def of(self, lang: str) -> str:
        """The words in a language; Chinese where there are none in English."""
        return self.en if lang == "en" and self.en else self.zh


class OneOrMany:
    """Annotates a tuple: one thing may stand without its list."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """One becomes a list of one before it is looked at."""
        return core_schema.no_info_before_validator_function(_many, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Either form."""
        many = handler(core)
        return {"anyOf": [many["items"], many]}


def _many(given: Any) -> Any:
    return [given] if isinstance(given, str | dict | BaseModel) else given


Ids = Annotated[tuple[Id, ...], OneOrMany()]
