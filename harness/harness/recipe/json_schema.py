"""The JSON Schema of a recipe file, made from the installed plugins, for editors.

A file that `extends` another may leave anything out, any entry may be `null`, and what a component
requires may come from the machine's settings; so there are two schemas in one, `whole` and `part`.
"""

from __future__ import annotations

from typing import Any

from harness.catalogue import Catalogue, Registered, guard
from harness.component import KINDS, Kind
from harness.recipe.sections import SLOTS
from harness.schema import NamedRef, PluginRef, Recipe

Schema = dict[str, Any]

# Where the recipe's models hold components: model, field, kind.
_HOLDERS: tuple[tuple[str, str, Kind], ...] = (
    ("Scenes", "train", "scenes"),
    ("Scenes", "evaluate", "scenes"),
    ("Questions", "families", "questions"),
    ("Recipe", "backbone", "backbones"),
    ("GrpoStage", "rewards", "rewards"),
    ("Evaluate", "tasks", "tasks"),
)
_REF: dict[Kind, type[PluginRef]] = {slot.kind: slot.ref for slot in SLOTS}


def recipe_schema(catalogue: Catalogue) -> Schema:
    """JSON Schema (draft 2020-12) that every recipe file passes which these plugins can run.

    Raises:
        PluginError: a component's settings have no JSON Schema.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vsi-harness recipe",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/part.Recipe"},
        "else": {"$ref": "#/$defs/whole.Recipe"},
        "$defs": {
            **_recipe("whole", partial=False),
            **_recipe("part", partial=True),
            **{f"whole.map.{kind}": _map(kind, catalogue, ["use"]) for kind in KINDS},
            **{f"part.map.{kind}": _map(kind, catalogue, []) for kind in KINDS},
            **{name: schema for one in catalogue for name, schema in _settings(one).items()},
            **{f"use.{kind}": _use(kind, catalogue) for kind in KINDS},
        },
    }


def _recipe(prefix: str, *, partial: bool) -> Schema:
    core = Recipe.model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}")
    models: Schema = core.pop("$defs")
    models["Recipe"] = core
    core["properties"]["extends"] = {
        "type": "string",
        "description": "The recipe this one changes: a file beside it, or a packaged recipe's name.",
    }
    for model, field, kind in _HOLDERS:
        holder = models[model]["properties"]
        named = issubclass(_REF[kind], NamedRef)
        reference = {"$ref": f"#/$defs/{f'{prefix}.map' if named else 'use'}.{kind}"}
        holder[field] = {"description": holder[field].get("description", ""), **reference}
        if not named and not partial:
            holder[field]["required"] = ["use"]
    for name in ("PluginRef", *(ref.__name__ for ref in _REF.values())):
        models.pop(name, None)
    for schema in models.values():
        _loosen(schema, partial=partial)
    if not partial:
        _let_presets_give_questions(models)
    return {f"{prefix}.{name}": schema for name, schema in models.items()}


def _let_presets_give_questions(models: Schema) -> None:
    """What the whole recipe must say of questions, it need not say where it names a preset."""
    questions, recipe = models["Questions"], models["Recipe"]
    families = questions["properties"].pop("families")
    questions["properties"]["families"] = {"description": families["description"]}
    questions["required"].remove("families")
    questions |= {
        "if": {"properties": {"preset": {"type": "string"}}, "required": ["preset"]},
        "then": {"properties": {"families": {"$ref": "#/$defs/part.map.questions"}}},
        "else": {"properties": {"families": families}, "required": ["families"]},
    }
    recipe["required"].remove("questions")
    section = recipe["properties"].pop("questions")
    recipe["properties"]["questions"] = {}
    axis = {"type": "object", "required": ["questions.preset"]}
    recipe |= {
        "if": {"properties": {"matrix": axis}, "required": ["matrix"]},
        "then": {"properties": {"questions": {"$ref": "#/$defs/part.Questions"}}},
        "else": {"properties": {"questions": section}, "required": ["questions"]},
    }


def _settings(registered: Registered) -> Schema:
    """A component's settings with the recipe's own keys of its section."""
    name = f"{registered.kind}.{registered.name}"
    with guard(registered, "making the JSON Schema of its settings"):
        template = f"#/$defs/{name}.{{model}}"
        schema = registered.component.config.model_json_schema(ref_template=template)
    models = {f"{name}.{model}": inner for model, inner in schema.pop("$defs", {}).items()}
    own = _REF[registered.kind].model_json_schema()["properties"]
    schema["properties"] = {**own, **schema.get("properties", {})}
    schema["description"] = registered.component.summary
    models[name] = schema
    for model in models.values():
        _loosen(model, partial=True)
    return models


def _use(kind: Kind, catalogue: Catalogue) -> Schema:
    """A section that names its component with `use`."""
    names = list(catalogue.names(kind))
    return {
        "type": "object",
        "properties": {"use": {"enum": names}},
        "allOf": [
            {
                "if": {"properties": {"use": {"const": name}}, "required": ["use"]},
                "then": {"$ref": f"#/$defs/{kind}.{name}"},
            }
            for name in names
        ],
    }


def _map(kind: Kind, catalogue: Catalogue, required: list[str]) -> Schema:
    """A map of sections whose keys name the components, unless `use` does.

    `required` is what an entry must have whose key names no component.
    """
    use = {"$ref": f"#/$defs/use.{kind}"}
    return {
        "type": "object",
        "properties": {
            name: _or_null(
                {
                    "if": {"required": ["use"]},
                    "then": use,
                    "else": {"$ref": f"#/$defs/{kind}.{name}"},
                }
            )
            for name in catalogue.names(kind)
        },
        "additionalProperties": _or_null({**use, "required": required}),
    }


def _loosen(schema: Schema, *, partial: bool) -> None:
    """Let optional entries be null, and in a part all of them be absent."""
    if partial:
        schema.pop("required", None)
        schema.pop("minProperties", None)
    for key, inner in schema.get("properties", {}).items():
        _loosen(inner, partial=partial)
        if key not in schema.get("required", ()):
            schema["properties"][key] = _or_null(inner)
    for pattern, inner in schema.get("patternProperties", {}).items():
        _loosen(inner, partial=partial)
        schema["patternProperties"][pattern] = _or_null(inner)
        schema["additionalProperties"] = False
    if isinstance(entries := schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = _or_null(entries)
    if partial and "oneOf" in schema:
        schema["anyOf"] = schema.pop("oneOf")  # without `method`, a stage may be of any kind
    schema.pop("discriminator", None)


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
