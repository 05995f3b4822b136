"""Discovery, against real `.dist-info` folders that are put on the path as an installer would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

import harness
from harness.catalogue import Catalogue, build, guard
from harness.component import KINDS
from harness.plugins import HOOK_OF, RESERVED, load_catalogue
from harness.recipe.sections import SLOTS

Install = Callable[..., None]


def offered(catalogue: Catalogue, *distributions: str) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in catalogue if one.distribution in distributions]


def broken(catalogue: Catalogue, distribution: str) -> list[str]:
    return [str(one) for one in catalogue.broken if one.source.distribution == distribution]


def test_every_kind_has_a_hook_and_a_slot() -> None:
    hooks = [name for name in vars(harness.hookspecs) if name.startswith("harness_")]
    assert sorted(HOOK_OF.values()) == sorted(hooks)
    assert {slot.kind for slot in SLOTS} == set(HOOK_OF) == set(KINDS)


def test_the_keys_kept_from_settings_are_the_sections_own() -> None:
    assert {slot.kind: frozenset(slot.ref.model_fields) for slot in SLOTS} == dict(RESERVED)


def test_modules_and_objects_are_plugins(install: Install) -> None:
    install("good")
    catalogue = load_catalogue()
    assert offered(catalogue, "acme-good") == [
        ("scenes", "acme_rooms"),
        ("questions", "acme_colour"),
        ("rewards", "acme_brevity"),
        ("backbones", "acme_vl"),
        ("tasks", "acme_bench"),
    ]
    assert broken(catalogue, "acme-good") == []


def test_a_component_knows_where_it_came_from(install: Install) -> None:
    install("good")
    found = load_catalogue().get("rewards", "acme_brevity")
    assert (found.plugin, found.distribution, found.version) == ("acme", "acme-good", "1.2")
    assert str(found) == "'acme_brevity' (rewards) of plugin 'acme' (acme-good 1.2)"


def test_a_built_component_plays_its_role(install: Install) -> None:
    install("good")
    found = load_catalogue().get("rewards", "acme_brevity")
    reward = build(found, found.component.config(most=2))
    assert reward([]) == []


def test_the_catalogue_is_sorted_by_kind_and_name(install: Install) -> None:
    install("raising", "good")
    catalogue = load_catalogue()
    keys = [(KINDS.index(one.kind), one.name) for one in catalogue]
    assert keys == sorted(keys)


def test_an_entry_point_name_taken_twice_names_both_distributions(install: Install) -> None:
    install("twin_a", "twin_b")
    with pytest.raises(harness.PluginError) as caught:
        load_catalogue()
    message = str(caught.value)
    assert "two plugins are named 'twin'" in message
    assert "twin-a 1.0" in message
    assert "twin-b 1.0" in message
    assert "uninstall" in message


def test_a_component_name_taken_twice_names_both_plugins(install: Install) -> None:
    install("same_a", "same_b")
    with pytest.raises(harness.PluginError) as caught:
        load_catalogue()
    assert str(caught.value) == (
        "two rewards components are named 'echo': one of plugin 'same-a' (same-a 1.0), one of "
        "plugin 'same-b' (same-b 1.0); uninstall same-a or same-b, or have one of them renamed"
    )


def test_one_broken_import_leaves_the_others(install: Install) -> None:
    install("broken_import", "good")
    catalogue = load_catalogue()
    assert len(offered(catalogue, "acme-good")) == 5
    (report,) = broken(catalogue, "broken-import")
    assert report.startswith(
        "plugin 'broken-import' (broken-import 0.3): broken_import: ModuleNotFoundError: "
        "No module named 'a_module_nobody_has' (at "
    )
    assert report.endswith(
        "install what provides 'a_module_nobody_has', or reinstall broken-import"
    )


def test_leaving_at_import_is_isolated_and_silent(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("leaving")
    (report,) = broken(load_catalogue(), "leaving")
    assert "SystemExit: not on this machine" in report
    assert capsys.readouterr().out == ""


def test_an_entry_point_to_nothing_is_broken(install: Install) -> None:
    install("no_attribute")
    (report,) = broken(load_catalogue(), "no-attribute")
    assert "AttributeError" in report


def test_misspelt_and_unmarked_hooks_are_reported_and_the_rest_kept(install: Install) -> None:
    install("misspelt")
    catalogue = load_catalogue()
    assert offered(catalogue, "misspelt") == [("questions", "kept")]
    found = {one.what: (one.why, one.remedy) for one in catalogue.broken}
    assert found["harness_backbone()"] == (
        "there is no such hook",
        "did you mean 'harness_backbones'?",
    )
    assert found["harness_rewardz()"] == (
        "there is no such hook",
        "did you mean 'harness_rewards'?",
    )
    assert found["harness_tasks()"] == ("is not marked", "put @harness.hookimpl above it")
    assert len(broken(catalogue, "misspelt")) == 3


def test_a_raising_hook_leaves_the_plugins_other_hooks(install: Install) -> None:
    install("raising")
    catalogue = load_catalogue()
    assert offered(catalogue, "raising") == [("tasks", "survivor")]
    (report,) = [one for one in catalogue.broken if one.source.plugin == "raising"]
    assert (report.what, report.kinds) == ("harness_rewards()", ("rewards",))
    assert report.why.startswith("ZeroDivisionError: no reward today (at ")


def test_what_is_no_list_of_components_is_reported(install: Install) -> None:
    install("wrong_hooks")
    catalogue = load_catalogue()
    assert offered(catalogue, "wrong-hooks") == []
    whys = {one.what: one.why.partition(" (at ")[0] for one in catalogue.broken}
    assert {what: whys[what] for what in (f"{hook}()" for hook in HOOK_OF.values())} == {
        "harness_scene_sources()": (
            "TypeError: gave a NoneType, expected a list of harness.Component"
        ),
        "harness_question_generators()": "ValueError: gave more than 1000 components",
        "harness_rewards()": "TypeError: gave a dict, expected a list of harness.Component",
        "harness_backbones()": "gave a int",
        "harness_tasks()": "is a hook wrapper",
    }


def test_a_hook_with_arguments_is_reported(install: Install) -> None:
    install("wrong_arguments")
    (report,) = broken(load_catalogue(), "wrong-arguments")
    assert "PluginValidationError" in report
    assert "recipe" in report


def test_faulty_components_are_reported_and_the_good_one_kept(install: Install) -> None:
    install("wrong_components")
    catalogue = load_catalogue()
    assert offered(catalogue, "wrong-components") == [("rewards", "good")]
    faults = {
        one.what: one.why
        for one in catalogue.broken
        if one.source.distribution == "wrong-components"
    }
    assert faults == {
        "rewards component 'Upper'": (
            "its name must be a lower-case identifier such as 'my_component'"
        ),
        "rewards component 'config'": "its config must be a subclass of harness.Settings",
        "rewards component 'reserved'": (
            "its settings may not be named weight: the recipe uses that key"
        ),
        "rewards component 'dotted'": (
            "its build must be callable or read 'package.module:function'"
        ),
        "rewards component 'number'": (
            "its build must be callable or read 'package.module:function'"
        ),
        "rewards component 'summary'": "its summary must be one line of text",
        "rewards component 'lines'": "its summary must be one line of text",
    }


def test_a_distribution_installed_twice_is_listed_once_with_a_note(install: Install) -> None:
    install("leftover")
    catalogue = load_catalogue()
    assert offered(catalogue, "leftover") == [("tasks", "once")]
    (note,) = [note for note in catalogue.notes if note.startswith("leftover")]
    assert "1.0 in" in note
    assert "1.1 in" in note
    assert "pip uninstall leftover" in note


def test_unreadable_entry_points_name_the_distribution(install: Install) -> None:
    install("garbled")
    with pytest.raises(harness.PluginError) as caught:
        load_catalogue()
    assert "reinstall or remove garbled 1.0 in " in str(caught.value)


def test_metadata_without_a_name_is_still_listed(install: Install) -> None:
    install("nameless")
    assert load_catalogue().broken == ()


def test_strict_makes_any_broken_plugin_an_error(install: Install) -> None:
    install("broken_import")
    with pytest.raises(harness.PluginError, match="broken-import"):
        load_catalogue(strict=True)


def test_an_unknown_component_gets_near_misses(install: Install) -> None:
    install("good")
    with pytest.raises(harness.UsageError) as caught:
        load_catalogue().get("rewards", "acme_brevty")
    assert str(caught.value) == (
        "no component 'acme_brevty' of kind 'rewards'; did you mean 'acme_brevity'?"
    )


def test_an_unknown_component_may_be_a_broken_plugins(install: Install) -> None:
    install("broken_import", "raising")
    catalogue = load_catalogue()
    with pytest.raises(harness.PluginError, match="broken plugin may have offered it") as caught:
        catalogue.get("tasks", "lost")
    assert "broken-import 0.3" in str(caught.value)
    assert "raising 1.0" not in str(caught.value), "only its rewards are broken"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "no_module",
            "while building it: ModuleNotFoundError: No module named 'a_module_nobody_has'",
        ),
        (
            "no_function",
            "while building it: AttributeError: module 'wrong_builds' has no attribute",
        ),
        ("raises", "while building it: KeyError: 1 (at "),
        ("half", "building gave a HalfScene that lacks load(); expected a harness.SceneSource"),
        ("nothing", "building gave None that lacks scene_ids(), load(); expected a harness.Scene"),
    ],
)
def test_a_component_that_cannot_be_built_names_its_plugin(
    install: Install, name: str, expected: str
) -> None:
    install("wrong_builds")
    found = load_catalogue().get("scenes", name)
    with pytest.raises(harness.PluginError) as caught:
        build(found, found.component.config())
    assert str(caught.value).startswith(
        f"'{name}' (scenes) of plugin 'wrong-builds' (wrong-builds 1.0)"
    )
    assert expected in str(caught.value)


def test_what_a_plugin_reports_itself_passes_the_guard(install: Install) -> None:
    install("wrong_builds")
    found = load_catalogue().get("scenes", "reports")
    with pytest.raises(harness.SceneError, match=r"^the plugin's own words$"):
        build(found, found.component.config())


def test_exhaustion_is_no_fault_of_the_plugin(install: Install) -> None:
    install("wrong_builds")
    found = load_catalogue().get("scenes", "runs_out")
    with pytest.raises(MemoryError):
        build(found, found.component.config())


def test_the_guard_names_plugin_and_deed(install: Install) -> None:
    install("good")
    found = load_catalogue().get("rewards", "acme_brevity")
    with pytest.raises(harness.PluginError) as caught, guard(found, "scoring"):
        raise ValueError("bad day")
    assert str(caught.value).startswith(f"{found}, while scoring: ValueError: bad day (at ")
    assert isinstance(caught.value.__cause__, ValueError)


def test_listing_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; from harness.plugins import load_catalogue; load_catalogue(strict=True); "
        "print([m for m in ('torch', 'numpy', 'transformers', 'yaml', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
