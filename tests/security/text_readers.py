"""Finds everything in the packages that reads text which a document, a person or a model wrote.

Patterns are found in the modules' attributes and in their source, functions by their annotations: whatever takes a
text, or a value that carries one, is called with a text of the length that is asked for. Nothing has to register.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import bot
import feedback
import retrieval

SEARCHING = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
METHODS = SEARCHING | {"match", "fullmatch"}


@cache
def modules() -> tuple[types.ModuleType, ...]:
    """Return all modules of the three packages, imported."""
    return tuple(
        importlib.import_module(found.name)
        for package in (bot, retrieval, feedback)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not found.name.endswith("__main__")
    )


@cache
def source(module: types.ModuleType) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


@dataclass
class UsedPattern:
    """A pattern, where it stands, and the names of the methods that it is used by."""

    pattern: re.Pattern[Any]
    place: str
    methods: set[str] = field(default_factory=set)


def patterns() -> list[UsedPattern]:
    """Return every pattern of the packages; all methods are assumed of one that is used otherwise than by name."""
    found: dict[re.Pattern[Any], UsedPattern] = {}
    for module in modules():
        for name, value in vars(module).items():
            for pattern in _patterns_in(value):
                used = found.setdefault(pattern, UsedPattern(pattern, f"{module.__name__}.{name}"))
                used.methods |= METHODS if pattern is not value else set()
        for used in _used_by_name(module):
            found[used.pattern].methods |= used.methods
        for used in _inline(module):
            found.setdefault(used.pattern, used).methods.update(used.methods)
    return list(found.values())


def unseen_patterns() -> list[str]:
    """Return the places where a pattern is made, or used, in a way that `patterns` does not see."""
    return [
        f"{module.__name__}:{call.lineno}"
        for module in modules()
        for call, inside_function in _re_calls(module)
        if inside_function and not isinstance(_pattern_of(call), ast.Constant)
    ]


def _patterns_in(value: object, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4:
        inner: list[object] = []
        if isinstance(value, tuple | list | set | frozenset):
            inner = list(value)
        elif isinstance(value, Mapping):
            inner = list(value.values())
        elif isinstance(value, partial):
            inner = [*value.args, *value.keywords.values()]
        for each in inner:
            yield from _patterns_in(each, depth + 1)


def _used_by_name(module: types.ModuleType) -> Iterator[UsedPattern]:
    """Yield the module's own and imported patterns with the methods called on their names."""
    tree = source(module)
    called = {id(each.value): each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            pattern = getattr(module, node.id, None)
            if isinstance(pattern, re.Pattern):
                method = called.get(id(node), "")
                yield UsedPattern(pattern, node.id, {method} if method in METHODS else set(METHODS))


def _inline(module: types.ModuleType) -> Iterator[UsedPattern]:
    """Yield the patterns that are written where they are used."""
    for call, inside_function in _re_calls(module):
        argument = _pattern_of(call)
        if inside_function and isinstance(argument, ast.Constant):
            assert isinstance(call.func, ast.Attribute)
            method = call.func.attr
            assert isinstance(argument.value, str | bytes)
            made: re.Pattern[Any] = re.compile(argument.value, _flags_of(call))
            yield UsedPattern(made, f"{module.__name__}:{call.lineno}", {method} if method in METHODS else set(METHODS))


def _re_calls(module: types.ModuleType) -> Iterator[tuple[ast.Call, bool]]:
    """Yield the calls of `re` that take a pattern, and whether they stand within a function."""
    inside = {
        id(node)
        for function in ast.walk(source(module))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(source(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            is_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
            if is_re and node.func.attr in METHODS | {"compile", "template"}:
                yield node, id(node) in inside


def _pattern_of(call: ast.Call) -> ast.expr:
    return call.args[0]


def _flags_of(call: ast.Call) -> int:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
    names = [node.attr for value in given for node in ast.walk(value) if isinstance(node, ast.Attribute)]
    names += [each.attr for each in call.args[1:] if isinstance(each, ast.Attribute) and hasattr(re, each.attr)]
    return sum({int(getattr(re, name)) for name in names})


def functions(packages: tuple[str, ...]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the public functions and the public methods of public classes of these packages by their names."""
    for module in modules():
        if not module.__name__.startswith(packages):
            continue
        for name, value in vars(module).items():
            if getattr(value, "__module__", "") != module.__name__ or name.startswith("_"):
                continue
            if inspect.isfunction(inspect.unwrap(value)) and not inspect.isclass(value):
                yield f"{module.__name__}.{name}", value
            elif inspect.isclass(value) and not getattr(value, "_is_protocol", False):
                for method, function in vars(value).items():
                    plain = function.__func__ if isinstance(function, staticmethod | classmethod) else function
                    if inspect.isfunction(plain) and not method.startswith("_"):
                        yield f"{module.__name__}.{name}.{method}", plain


def required_parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters of a function that have no default, by name, with their types."""
    plain = inspect.unwrap(function)
    try:
        hints = typing.get_type_hints(plain)
    except (NameError, AttributeError):
        hints = dict(plain.__annotations__)
    return {
        name: hints.get(name)
        for name, parameter in inspect.signature(plain).parameters.items()
        if parameter.default is parameter.empty and name not in {"self", "cls"}
    }
