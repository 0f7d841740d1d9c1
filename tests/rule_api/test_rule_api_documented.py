"""The rule API is documented: every name, and every field of what a rule is given."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pytest

from gfpcheck import rule_api

CLASSES = [value for name in rule_api.__all__ if inspect.isclass(value := getattr(rule_api, name))]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_and_what_it_offers(cls: type) -> None:
    own = inspect.getdoc(cls) or ""
    assert own, cls
    assert not own.startswith(f"{cls.__name__}("), "that is what dataclasses write"
    for name, value in vars(cls).items():
        if not name.startswith("_") and (callable(value) or isinstance(value, property)):
            assert inspect.getdoc(value), f"{cls.__name__}.{name}"


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if dataclasses.is_dataclass(cls)], ids=lambda cls: cls.__name__)
def test_every_field_is_described(cls: type) -> None:
    described = set(re.findall(r"`(\w+)`", inspect.getdoc(cls) or ""))
    obvious = {"name", "place", "file", "function", "kind", "mode"}
    assert {field.name for field in dataclasses.fields(cls)} - described <= obvious


def test_everything_has_types() -> None:
    for cls in CLASSES:
        for name, value in vars(cls).items():
            if inspect.isfunction(value) and not name.startswith("_"):
                hints = inspect.signature(value)
                assert hints.return_annotation is not inspect.Signature.empty, f"{cls.__name__}.{name}"
                for parameter in list(hints.parameters.values())[1:]:
                    assert parameter.annotation is not inspect.Parameter.empty, f"{cls.__name__}.{name}"


def test_the_version_is_two_numbers() -> None:
    assert all(isinstance(number, int) for number in rule_api.API_VERSION)
    assert len(rule_api.API_VERSION) == 2
    assert rule_api.Rule.api == rule_api.API_VERSION[0]
