"""The JSON schemas of the models, as pydantic makes them for an application's OpenAPI page."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import attrs
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaError
from pydantic import TypeAdapter, ValidationError, create_model

from core.codec.test_secret_fields import MODELS
from pyas_async import Attendee, Meeting, MeetingCreate, MeetingDetail, MeetingUpdate, Page, Recurrence, from_dict
from pyas_async.sandbox import Sandbox

REQUESTS: list[type[Any]] = [Attendee, MeetingCreate, MeetingUpdate, Recurrence]
NEW: dict[str, Any] = {"type": 2, "title": "Review", "description": "", "startDate": "2026-11-22T12:00:00Z"}
USUAL: dict[type[Any], dict[str, Any]] = {
    Attendee: {"email": "ada@example.com"},
    MeetingCreate: NEW,
    MeetingUpdate: {},
    Recurrence: {"type": "daily", "interval": 1},
}
BELONGS_TO = {"daysOfWeek": "weekly", "dayOfMonth": "monthly", "month": "monthly"}


def schema(kind: Any, mode: Any = "validation") -> dict[str, Any]:  # noqa: ANN401  (any annotation, and a literal)
    """Return the JSON schema of a type."""
    return TypeAdapter(kind).json_schema(mode=mode)


def wire(field: attrs.Attribute[Any]) -> str:
    """Return the name of a field in the API."""
    name: str = field.metadata.get("wire", field.name)
    return name


@pytest.mark.parametrize("cls", [*MODELS, *REQUESTS])
def test_schemas(cls: type[Any]) -> None:
    """The schema of a class is valid, is the same for reading and writing, and has each field that is no secret."""
    made = schema(cls)
    Draft202012Validator.check_schema(made)

    assert made == schema(cls, "serialization")
    assert cls.__name__ == made["title"]
    assert made["description"]
    assert (cls in REQUESTS) != made["additionalProperties"]
    fields = [field for field in attrs.fields(cls) if not field.name.startswith("_") and field.name != "extra"]
    shown = [field for field in fields if field.name == "next_page_token" or not field.metadata.get("secret")]
    assert {wire(field) for field in shown} == set(made["properties"])
    assert {wire(field) for field in fields if field.default is attrs.NOTHING} == set(made.get("required", []))


def test_names() -> None:
    """Each class has one definition, which has its name, and is not mixed up with another class of that name."""
    theirs = create_model("Meeting", topic=(str, ...))
    both = schema(create_model("Both", theirs=(theirs, ...), ours=(Meeting, ...)))

    assert {"MeetingSettings", "Occurrence", "TrackingField"} < set(schema(MeetingDetail)["$defs"])
    assert ["Meeting"] == list(schema(Page)["$defs"])
    assert 2 == len(both["$defs"])
    assert 1 == sum("uuid" in found["properties"] for found in both["$defs"].values())


def test_documents_of_the_service_match() -> None:
    """What is written of the sandbox's meetings matches the schema."""
    with Sandbox(accounts=1, meetings=60) as sandbox:
        (account,) = sandbox.account_ids
        rows = sandbox.rows(account)
        details = [from_dict(MeetingDetail, sandbox.document(account, row["id"])) for row in rows]
    page = from_dict(Page, {"meetings": rows, "next_page_token": "tok", "page_size": 30, "total_records": 60})
    assert len({row.type for row in page}) > 1
    assert any(detail.start_url for detail in details)

    kinds: list[tuple[Any, object]] = [(Page, page), (list[MeetingDetail], details)]
    for kind, model in kinds:
        written = TypeAdapter(kind).dump_json(model)
        Draft202012Validator(schema(kind)).validate(json.loads(written))
        assert b"start_url" not in written


def bounds() -> list[Any]:
    """List each bound of the schemas of requests: the class, the field, a value at the bound, and the next outside."""
    found = []
    for cls in REQUESTS:
        for name, about in schema(cls)["properties"].items():
            pairs: list[tuple[Any, Any]] = []
            for bound, step in (("minLength", -1), ("maxLength", 1)):
                pairs += [("x" * about[bound], "x" * (about[bound] + step))] if bound in about else []
            for bound, step in (("minimum", -1), ("maximum", 1)):
                pairs += [(about[bound], about[bound] + step)] if bound in about else []
            pairs += [(["monday"] * about["minItems"], [])] if "minItems" in about else []
            pairs += [(value, 4 if isinstance(value, int) else "yearly") for value in about.get("enum", [])]
            found += [pytest.param(cls, name, *pair, id=f"{cls.__name__}.{name}-{pair[0]!s:.9}") for pair in pairs]
    return found


def test_the_bounds_are_found() -> None:
    """The bounds that the schemas have are known in number, so that none is lost."""
    assert 25 == len(bounds())


@pytest.mark.parametrize(("cls", "name", "within", "outside"), bounds())
def test_bounds(cls: type[Any], name: str, within: Any, outside: Any) -> None:  # noqa: ANN401  (any JSON value)
    """A bound of a schema is that of the model: a value at it is accepted, and the next one is not."""
    usual = USUAL[cls] | ({"type": BELONGS_TO[name]} if name in BELONGS_TO else {})
    adapter, validator = TypeAdapter(cls), Draft202012Validator(schema(cls))
    adapter.validate_python(usual | {name: within})
    validator.validate(usual | {name: within})

    with pytest.raises(ValidationError):
        adapter.validate_python(usual | {name: outside})
    with pytest.raises(SchemaError):
        validator.validate(usual | {name: outside})


@pytest.mark.parametrize("cls", REQUESTS)
def test_examples(cls: type[Any]) -> None:
    """The examples of a schema are accepted."""
    for name, about in schema(cls)["properties"].items():
        for example in about.get("examples", []):
            usual = USUAL[cls] | ({"type": BELONGS_TO[name]} if name in BELONGS_TO else {})
            TypeAdapter(cls).validate_python(usual | {name: example})


def test_defaults() -> None:
    """The schema of a request names the values that are sent if nothing is given."""
    fields = schema(MeetingCreate)["properties"]
    defaults = {name: about["default"] for name, about in fields.items() if "default" in about}
    adapter = TypeAdapter(MeetingCreate)

    assert 30 == defaults["duration"]
    assert adapter.validate_python(NEW) == adapter.validate_python({**defaults, **NEW})


def test_models_within_models() -> None:
    """A model of pydantic has a valid schema with ours in it, and with optional and collected ones."""
    made = create_model("Made", a=(MeetingDetail, ...), b=(Meeting | None, ...), c=(list[MeetingCreate], ...))

    for mode in ("validation", "serialization"):
        Draft202012Validator.check_schema(schema(made, mode))


def test_pydantic_is_not_imported() -> None:
    """No name of the package imports pydantic: only pydantic itself, when it meets a model, loads what it needs."""
    code = (
        "import sys, pyas_async\n"
        "for name in pyas_async.__all__: getattr(pyas_async, name)\n"
        "loaded = [name for name in sys.modules if 'pydantic' in name]\n"
        "assert not loaded, loaded\n"
        "import pydantic\n"
        "pydantic.TypeAdapter(pyas_async.Meeting)\n"
        "assert 'pyas_async.integrations.pydantic' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ("", 0) == (done.stderr, done.returncode)
