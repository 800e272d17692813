"""What the configurations share: the store, old names of fields, and their order in the Prefect UI."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator
from pydantic.json_schema import JsonSchemaValue

from flows import DEFAULT_STORE
from sandboxes.config import Config
from tasks.errors import UserError

OLD_NAMES = {"task": "dataset", "problems": "limit"}
"""Former names of fields, which still work."""


def in_order(schema: JsonSchemaValue) -> None:
    """Number the fields in a schema: Postgres does not keep their order, and the form sorts them by `position`."""
    for position, field in enumerate(schema["properties"].values()):
        field["position"] = position


def by_new_names(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields under their current names.

    Raises:
        UserError: a field is given under both names.
    """
    for old, new in OLD_NAMES.items():
        if old in fields and new in fields:
            raise UserError(f"{new}: is also given under its former name, {old}; keep only {new}")
    return {OLD_NAMES.get(name, name): value for name, value in fields.items()}


class WithOldNames(Config):
    """A configuration whose fields may also be given under their former names."""

    @model_validator(mode="before")
    @classmethod
    def _by_new_names(cls, fields: Any) -> Any:
        return by_new_names(fields) if isinstance(fields, dict) else fields


def _no_credentials(url: str) -> str:
    """Refuse a store URL that contains credentials. The rule is imported late, as it needs fsspec."""
    from tasks.files.remote import without_credentials

    return without_credentials(url)


Store = Annotated[str, AfterValidator(_no_credentials)]
STORE = Field(
    default=DEFAULT_STORE,
    min_length=1,
    description="Folder or fsspec URL, such as s3://bucket/runs",
    # With the pattern in the schema, Prefect's server and form refuse the value before a run could record it.
    json_schema_extra={"pattern": "^(?![^/]*://[^/]*@)"},
)
