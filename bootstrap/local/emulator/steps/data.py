"""Steps of pipeline-utility-steps that read and write data: JSON, YAML, properties, CSV."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
from typing import Any

import yaml

from ..execution.registry import Step, register_step
from ..failures import StepFailed
from .node import find_directory, find_node

PLUGIN = "pipeline-utility-steps"
ILLEGAL = "java.lang.IllegalArgumentException"


def keep_order(value: object) -> object:
    """A value whose mappings keep the order of their entries on the way to the Groovy side."""
    if isinstance(value, dict):
        if "$data" in value:
            return value
        return {"$data": "map", "value": [[str(key), keep_order(entry)] for key, entry in value.items()]}
    return [keep_order(entry) for entry in value] if isinstance(value, list) else value


async def _read_source(call: Step) -> str | None:
    """The text of the arguments `text` or `file`; None if neither is given."""
    text, name = call.read_text("text"), call.read_text("file")
    if text.strip() and name:
        raise StepFailed(f"At most one of file or text must be provided to {call.name}.", ILLEGAL)
    if not name:
        return text if text.strip() else None
    path, node = find_directory(call) / name, find_node(call)
    kind = await node.find_kind(path)
    if kind == "directory":
        raise StepFailed(f"{path} is a directory.", ILLEGAL)
    if not kind:
        raise StepFailed(f"{path} does not exist.", "java.io.FileNotFoundException")
    return (await node.read(path)).decode("utf-8", "replace")


async def _write(call: Step, text: str, *, may_replace: bool = True) -> str | None:
    """Write a text to the argument `file`, or return it where `returnText` asks for it."""
    if call.read_flag("returnText"):
        if call.read_text("file"):
            raise StepFailed(f"Cannot provide both returnText and file to {call.name}.", ILLEGAL)
        return text
    if not call.read_text("file"):
        raise StepFailed(f"either file or returnText must be provided to {call.name}.", ILLEGAL)
    path, node = find_directory(call) / call.read_text("file"), find_node(call)
    kind = await node.find_kind(path)
    if kind == "directory":
        raise StepFailed(f"{path} is a directory.", ILLEGAL)
    if kind and not may_replace:
        raise StepFailed(str(path), "java.nio.file.FileAlreadyExistsException")
    await node.write(path, text.encode())
    return None


@register_step("readJSON", main="file", plugin=PLUGIN)
async def read_json(call: Step) -> Any:
    """Read a JSON text or file; None if neither is given."""
    call.refuse_unknown("file", "text", "returnPojo")
    source = await _read_source(call)
    if source is None:
        return None
    text = source.strip()
    for begin, end in ("{}", "[]"):
        if text.startswith(begin) and not text.endswith(end):
            words = f"Found starting '{begin}' but missing '{end}' at the end."
            raise StepFailed(f"{words} at character 0 of null", "net.sf.json.JSONException")
    try:
        value = json.loads(text)
    except ValueError as fault:
        words = "Invalid JSON String" if text[:1] not in "{[" else str(fault)
        raise StepFailed(words, "net.sf.json.JSONException") from fault
    ordered = keep_order(value)
    return ordered if call.read_flag("returnPojo") else {"$data": "json", "value": ordered}


@register_step("writeJSON", main="json", plugin=PLUGIN)
async def write_json(call: Step) -> str | None:
    """Write a value as JSON."""
    call.refuse_unknown("file", "json", "pretty", "returnText")
    if call.arguments.get("json") is None:
        raise StepFailed("json parameter must be provided to writeJSON", ILLEGAL)
    pretty = int(call.read_text("pretty", "0"))
    return await _write(call, render_json(call.arguments["json"], pretty))


def render_json(value: object, step: int, indent: int = 0) -> str:
    """JSON in the form of net.sf.json: with a step of 0 on one line, else a single entry stays on its line."""
    if not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = indent if len(value) == 1 else indent + step
    if isinstance(value, dict):
        colon = ": " if step else ":"
        quoted = ((json.dumps(str(key), ensure_ascii=False), entry) for key, entry in value.items())
        parts = [f"{key}{colon}{render_json(entry, step, inner)}" for key, entry in quoted]
        begin, end = "{", "}"
    else:
        parts = [render_json(entry, step, inner) for entry in value]
        begin, end = "[", "]"
    if not step or len(parts) == 1:
        return begin + ",".join(parts) + end
    lines = ",\n".join(" " * inner + part for part in parts)
    return f"{begin}\n{lines}\n{' ' * indent}{end}"


@register_step("readYaml", plugin=PLUGIN)
async def read_yaml(call: Step) -> Any:
    """Read YAML: the document, or a list of the documents if there are several."""
    call.refuse_unknown("file", "text")
    source = await _read_source(call)
    if source is None:
        raise StepFailed("At least one of file or text needs to be provided to readYaml.", ILLEGAL)
    try:
        documents = list(yaml.safe_load_all(source))
    except yaml.YAMLError as fault:
        raise StepFailed(str(fault), "org.yaml.snakeyaml.error.YAMLException") from fault
    values = [keep_order(_mark_dates(document)) for document in documents]
    return values[0] if len(values) == 1 else values or None


def _mark_dates(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _mark_dates(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_mark_dates(entry) for entry in value]
    if isinstance(value, datetime.date):
        is_day = not isinstance(value, datetime.datetime)
        moment = datetime.datetime.combine(value, datetime.time()) if is_day else value
        assert isinstance(moment, datetime.datetime)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        return {"$data": "date", "value": int(moment.timestamp() * 1000)}
    return value


@register_step("writeYaml", plugin=PLUGIN)
async def write_yaml(call: Step) -> str | None:
    """Write a value (`data`), or several documents (`datas`), as YAML."""
    call.refuse_unknown("file", "data", "datas", "charset", "overwrite", "returnText")
    options: dict[str, Any] = {"default_flow_style": False, "sort_keys": False, "allow_unicode": True}
    if call.arguments.get("datas") is not None:
        text = yaml.safe_dump_all(call.arguments["datas"], explicit_start=True, **options)
    elif call.arguments.get("data") is not None:
        text = yaml.safe_dump(call.arguments["data"], **options)
    else:
        raise StepFailed("data or datas parameter must be provided to writeYaml", ILLEGAL)
    return await _write(call, text.removesuffix("...\n"), may_replace=call.read_flag("overwrite"))


@register_step("readProperties", plugin=PLUGIN)
async def read_properties(call: Step) -> object:
    """Read Java properties over the `defaults`."""
    call.refuse_unknown("file", "text", "defaults", "interpolate", "charset")
    values = {str(key): str(value) for key, value in (call.arguments.get("defaults") or {}).items()}
    source = await _read_source(call)
    if source is None and not values:
        raise StepFailed("At least one of file or text needs to be provided to readProperties.", ILLEGAL)
    values.update(parse_properties(source or ""))
    if call.read_flag("interpolate"):
        call.say("Interpolation set to true, starting to parse the variable!")
        for _ in range(10):
            values = {name: _interpolate(value, values) for name, value in values.items()}
    return keep_order(values)


def _interpolate(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{([^}]*)\}", lambda match: values.get(match[1], match[0]), text)


def parse_properties(text: str) -> dict[str, str]:
    """Parse the format of java.util.Properties."""
    values: dict[str, str] = {}
    joined = re.sub(r"(?<!\\)((?:\\\\)*)\\\r?\n[ \t\f]*", r"\1", text)
    for line in joined.splitlines():
        stripped = line.lstrip(" \t\f")
        if not stripped or stripped[0] in "#!":
            continue
        match = re.match(r"((?:\\.|[^\\ \t\f=:])*)[ \t\f]*[=:]?[ \t\f]*(.*)", stripped, re.DOTALL)
        assert match is not None
        values[_unescape(match[1])] = _unescape(match[2])
    return values


def _unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}.get(match[2], match[2])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", replace, text)


@register_step("readCSV", plugin=PLUGIN)
async def read_csv(call: Step) -> list[list[str]]:
    """Read CSV as a list of records."""
    if "format" in call.arguments:
        raise StepFailed("the argument format of readCSV is not known to the emulator")
    call.refuse_unknown("file", "text")
    source = await _read_source(call)
    return [row for row in csv.reader(io.StringIO(source or "")) if row]


@register_step("writeCSV", plugin=PLUGIN)
async def write_csv(call: Step) -> None:
    """Write records as CSV."""
    if "format" in call.arguments:
        raise StepFailed("the argument format of writeCSV is not known to the emulator")
    call.refuse_unknown("file", "records")
    output = io.StringIO()
    csv.writer(output).writerows(call.arguments.get("records") or [])
    await find_node(call).write(find_directory(call) / call.require("file"), output.getvalue().encode())
