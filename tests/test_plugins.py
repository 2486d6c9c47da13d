"""Loading plugins: what works is there, what is broken gets one clear message, the rest goes on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hfcbench import hookimpl
from hfcbench.errors import SpecificationError
from hfcbench.plugins import BUILTIN_MODULES, FailedPlugin, Plugins, load_plugins


class Defence:
    """Leave the model as it is."""

    def defend(self, model: object) -> object:
        return model


def plugin(**hooks: object) -> SimpleNamespace:
    return SimpleNamespace(**{name: hookimpl(hook) for name, hook in hooks.items()})


def defence_plugin(factory: object = Defence, name: str = "nothing") -> SimpleNamespace:
    def hfcbench_register_defences(register):
        register(name, factory, version="1")

    return plugin(hfcbench_register_defences=hfcbench_register_defences)


def load(**extra: object) -> Plugins:
    return load_plugins(extra, installed=(), builtin_modules=("hfcbench.executors.in_process",))


def only_failure(plugins: Plugins) -> FailedPlugin:
    (failure,) = plugins.failed
    return failure


def test_a_plugin_provides_what_it_registers():
    plugins = load(mine=defence_plugin())

    assert plugins.failed == ()
    assert plugins.loaded[-1].provides == (("defence", "nothing"),)
    reference = plugins.registry.resolve("defence", "nothing", {})
    assert isinstance(plugins.registry.create(reference), Defence)
    assert plugins.registry.get("defence", "nothing").description == "Leave the model as it is."


def test_every_builtin_module_loads():
    plugins = load_plugins(installed=())

    assert plugins.failed == ()
    assert len(plugins.loaded) == len(BUILTIN_MODULES)


def test_a_plugin_that_raises_is_left_out_and_the_rest_works():
    def hfcbench_register_defences(register):
        raise RuntimeError("no such chip")

    broken = plugin(hfcbench_register_defences=hfcbench_register_defences)
    plugins = load(broken=broken, mine=defence_plugin())

    assert only_failure(plugins).reason == "RuntimeError: no such chip"
    assert plugins.registry.find("defence", "nothing") is not None


def test_a_misspelt_hook_is_named_with_the_nearest_one():
    misspelt = plugin(hfcbench_register_defence=lambda register: None)

    reason = only_failure(load(misspelt=misspelt)).reason
    assert "there is no hook 'hfcbench_register_defence'" in reason
    assert "'hfcbench_register_defences'" in reason


def test_a_hook_without_its_mark_is_named():
    unmarked = SimpleNamespace(hfcbench_register_defences=lambda register: None)

    reason = only_failure(load(unmarked=unmarked)).reason
    assert "'hfcbench_register_defences' lacks the mark @hfcbench.hookimpl" in reason


def test_a_hook_with_a_wrong_argument_is_refused():
    wrong = plugin(hfcbench_register_defences=lambda registry: None)

    plugins = load(wrong=wrong)
    assert "registry" in only_failure(plugins).reason
    assert not plugins.manager.is_registered(wrong)


def test_a_duplicate_names_both_origins_and_keeps_the_first():
    plugins = load(first=defence_plugin(), second=defence_plugin())

    failure = only_failure(plugins)
    assert failure.origin.plugin == "second"
    assert "defence 'nothing' is declared twice" in failure.reason
    assert "first (given directly" in failure.reason
    assert "second (given directly" in failure.reason


def test_a_refused_plugin_leaves_nothing_behind():
    def hfcbench_register_defences(register):
        register("good", Defence, version="1")
        register("Bad Name", Defence, version="1")

    plugins = load(half=plugin(hfcbench_register_defences=hfcbench_register_defences))

    assert "names are lower-case" in only_failure(plugins).reason
    assert plugins.registry.find("defence", "good") is None


def unannotated(rho=1.0):
    return Defence()


def variadic(**options: float):
    return Defence()


def not_plain(model: object):
    return Defence()


def impossible_default(rho: float | None = "high"):  # type: ignore[assignment]
    return Defence()


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (unannotated, "parameter 'rho' has no type annotation"),
        (variadic, "'*options' is not allowed"),
        (not_plain, "parameter 'model' is a object"),
        (impossible_default, "the default 'high' of 'rho' is not valid"),
    ],
)
def test_impossible_parameters_are_refused_at_load(factory, message):
    assert message in only_failure(load(wrong=defence_plugin(factory))).reason


def test_an_unknown_name_mentions_the_plugins_that_failed():
    misspelt = plugin(hfcbench_register_defence=lambda register: None)
    registry = load(misspelt=misspelt, mine=defence_plugin()).registry

    with pytest.raises(SpecificationError) as raised:
        registry.get("defence", "nothin")
    assert "did you mean 'nothing'?" in str(raised.value)
    assert "misspelt" in str(raised.value)


def test_registrations_after_start_up_are_refused():
    registry = load(mine=defence_plugin()).registry
    staged = registry.stage(load(mine=defence_plugin()).loaded[-1].origin)

    with pytest.raises(Exception, match="cannot register after start-up"):
        registry.commit(staged)
