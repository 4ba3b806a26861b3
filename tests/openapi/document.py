"""docs/openapi.yaml, and checks of requests and responses against it."""

from __future__ import annotations

import copy
import functools
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

import jsonschema
import referencing
import referencing.jsonschema
import yaml

Json = dict[str, Any]
FILE = Path(__file__).parent.parent.parent / "docs" / "openapi.yaml"
_NAME = "urn:openapi"
_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value.upper()).tzinfo is not None


@_FORMATS.checks("month-day-year", raises=ValueError)
def _is_day(value: object) -> bool:
    if isinstance(value, str):
        month, day, year = (int(part) for part in value.split("-"))
        date(year, month, day)
    return True


@_FORMATS.checks("iana-time-zone")
def _is_zone(value: object) -> bool:
    return not isinstance(value, str) or value in available_timezones()


class Document:
    """The document, read once. With ``closed``, objects may have no other properties than it names."""

    def __init__(self, *, closed: bool = False) -> None:
        self.content: Json = _read()
        read = self.content
        if closed:
            read = copy.deepcopy(read)
            _close(read)
        resource = referencing.jsonschema.DRAFT202012.create_resource(read)
        self._registry = referencing.Registry[Any]().with_resource(_NAME, resource)

    def operation(self, method: str, path: str) -> tuple[str, Json]:
        """Return the JSON pointer and the content of a request's operation."""
        for template, item in self.content["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and method.lower() in item:
                return f"/paths/{_escaped(template)}/{method.lower()}", item[method.lower()]
        message = f"the document has no {method} {path}"
        raise LookupError(message)

    def faults_of_request(self, method: str, path: str, query: dict[str, str], body: object) -> list[str]:
        """Return the differences between a request and the document; ``body`` is None without one."""
        place, operation = self.operation(method, path)
        parameters = {}
        for number, parameter in enumerate(operation.get("parameters", ())):
            at, parameter = self._resolved(f"{place}/parameters/{number}", parameter)  # noqa: PLW2901  (the same parameter, resolved)
            parameters[parameter["name"]] = at, parameter
        faults = [f"query: {name} is not in the document" for name in query.keys() - parameters.keys()]
        for name, (at, parameter) in parameters.items():
            if name in query:
                faults += self._check(_value(query[name], parameter["schema"]), f"{at}/schema", name)
            elif parameter.get("required"):
                faults.append(f"query: {name} is missing")
        if ("requestBody" in operation) != (body is not None):
            faults.append("body: there is none" if body is None else "body: there is one")
        elif body is not None:
            faults += self._check(body, f"{place}/requestBody/content/application~1json/schema", "body")
        return faults

    def faults_of_answer(self, method: str, path: str, status: int, body: object) -> list[str]:
        """Return the differences between a response and the document; ``body`` is None without one."""
        place, operation = self.operation(method, path)
        if str(status) not in operation["responses"]:
            return [f"status: {status} is not in the document"]
        if body is None:
            return []
        at, _ = self._resolved(f"{place}/responses/{status}", operation["responses"][str(status)])
        return self._check(body, f"{at}/content/application~1json/schema", "body")

    def _resolved(self, place: str, part: Json) -> tuple[str, Json]:
        """Follow references to the referenced part."""
        while "$ref" in part:
            place = part["$ref"].removeprefix("#")
            found: Any = self.content
            for name in place.split("/")[1:]:
                found = found[name]
            part = found
        return place, part

    def _check(self, value: object, place: str, name: str) -> list[str]:
        schema = {"$ref": f"{_NAME}#{place}"}
        validator = jsonschema.Draft202012Validator(schema, registry=self._registry, format_checker=_FORMATS)
        return [f"{name}{error.json_path.removeprefix('$')}: {error.message}" for error in validator.iter_errors(value)]


@functools.cache
def _read() -> Json:
    document: Json = yaml.safe_load(FILE.read_text("utf-8"))
    return document


def _value(text: str, schema: Json) -> object:
    return int(text) if schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]+", text) else text


def _escaped(name: str) -> str:
    """Encode a name for a JSON pointer in a URI."""
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="~")


def _close(part: Any) -> None:  # noqa: ANN401  (JSON)
    """Forbid further properties in each object schema; in a combination, each part has its own."""
    if isinstance(part, dict):
        if part.get("type") == "object" and "properties" in part:
            part["additionalProperties"] = False
        for entry in part.values():
            _close(entry)
    elif isinstance(part, list):
        for entry in part:
            _close(entry)
