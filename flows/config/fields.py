"""What the configurations share: the store, and how they are shown in the Prefect UI."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator
from pydantic.json_schema import JsonSchemaValue

from flows import DEFAULT_STORE
from sandboxes.config import Config
from tasks.errors import UserError

OLD_NAMES = {"task": "dataset"}
"""Fields by the names that they used to have, which still work."""


def in_order(schema: JsonSchemaValue) -> None:
    """Postgres forgets the order of fields; the form sorts them by `position`."""
    for position, field in enumerate(schema["properties"].values()):
        field["position"] = position


def by_new_names(fields: dict[str, Any]) -> dict[str, Any]:
    """The same fields, each under its present name.

    Raises:
        UserError: one is there under both names.
    """
    for old, new in OLD_NAMES.items():
        if old in fields and new in fields:
            raise UserError(f"{new}: is given twice, also by its old name, {old}; keep {new}")
    return {OLD_NAMES.get(name, name): value for name, value in fields.items()}


class WithOldNames(Config):
    """A configuration whose fields can also be given by their old names."""

    @model_validator(mode="before")
    @classmethod
    def _by_new_names(cls, fields: Any) -> Any:
        return by_new_names(fields) if isinstance(fields, dict) else fields


def _no_credentials(url: str) -> str:
    """Fails where a store's URL holds credentials. Its rule is imported late, with fsspec."""
    from tasks.files.remote import without_credentials

    return without_credentials(url)


Store = Annotated[str, AfterValidator(_no_credentials)]
STORE = Field(
    default=DEFAULT_STORE,
    min_length=1,
    description="Folder or fsspec URL, such as s3://bucket/runs",
    # Prefect's server and its form refuse by the schema, before there is a run that would keep the value.
    json_schema_extra={"pattern": "^(?![^/]*://[^/]*@)"},
)
