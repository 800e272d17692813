"""What the configurations share: the store, and how they are shown in the Prefect UI."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.json_schema import JsonSchemaValue

from flows import DEFAULT_STORE


def in_order(schema: JsonSchemaValue) -> None:
    """Postgres forgets the order of fields; the form sorts them by `position`."""
    for position, field in enumerate(schema["properties"].values()):
        field["position"] = position


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
