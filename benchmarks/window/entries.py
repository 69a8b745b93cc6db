# SPDX-License-Identifier: MIT
"""Where Blender calls the add-on, wrapped by a meter: timers, draw calls, handlers, and the classes it registers.

The callbacks of properties are left out: they set a value or read one. Timers and draw calls are wrapped as the add-on
registers them, and so before it is enabled; the others once it is.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

import bpy

from benchmarks.window.meter import Function, Meter
from benchmarks.window.own_calls import OWN

METHODS = ("draw", "draw_header", "execute", "invoke", "modal", "poll", "poll_drop")


def wrap_registration(meter: Meter, addon: str) -> None:
    """Have every timer and draw call measured that a module of ``addon`` registers from now on."""
    timers: Any = bpy.app.timers
    wrapped: dict[Function, Function] = {}

    def kept(function: Function) -> Function:
        if not str(function.__module__).startswith(addon):
            return function
        return wrapped.setdefault(function, meter.entry(_name(function, addon), function))

    register, unregister, is_registered = timers.register, timers.unregister, timers.is_registered
    timers.register = lambda function, **values: register(kept(function), **values)
    timers.unregister = lambda function: unregister(wrapped.get(function, function))
    timers.is_registered = lambda function: is_registered(wrapped.get(function, function))
    for space in (bpy.types.SpaceView3D, bpy.types.SpaceImageEditor):
        _wrap_drawing(space, kept)


def _wrap_drawing(space: Any, kept: Callable[[Function], Function]) -> None:
    add = space.draw_handler_add
    space.draw_handler_add = lambda function, *rest: add(kept(function), *rest)


def wrap_addon(meter: Meter, addon: str) -> Callable[[], None]:
    """Measure the handlers and classes of an add-on that is enabled, and Blender's own calls in its modules. Answers
    what puts the handlers back, which the add-on looks for when it is disabled."""
    modules = {name: module for name, module in sys.modules.items() if name.startswith(f"{addon}.")}
    for kind in _classes(modules.values(), addon):
        for method in METHODS:
            if method in vars(kind):
                setattr(kind, method, _method(meter, f"{kind.__name__}.{method}", vars(kind)[method]))
    for name in OWN:
        module, _, function = name.partition(":")
        original = getattr(modules[f"{addon}.{module}"], function)
        timed = meter.own(name, original)
        for other in modules.values():
            for key in [key for key, value in vars(other).items() if value is original]:
                setattr(other, key, timed)
    return _wrap_handlers(meter, addon)


def _wrap_handlers(meter: Meter, addon: str) -> Callable[[], None]:
    lists = [(name, getattr(bpy.app.handlers, name)) for name in dir(bpy.app.handlers)]
    found = [
        (handlers, index, handler, name)
        for name, handlers in lists
        if isinstance(handlers, list)
        for index, handler in enumerate(handlers)
        if str(handler.__module__).startswith(addon)
    ]
    for handlers, index, handler, name in found:
        handlers[index] = meter.entry(f"{name}: {_name(handler, addon)}", handler)

    def put_back() -> None:
        for handlers, index, handler, _ in found:
            handlers[index] = handler

    return put_back


def _classes(modules: Iterable[ModuleType], addon: str) -> Iterator[type]:
    """Every class of the add-on's that Blender calls."""
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    yield from (kind for kind in kinds if issubclass(kind, bpy.types.bpy_struct) and kind.__module__.startswith(addon))


def _method(meter: Meter, name: str, method: Any) -> Any:
    """Blender gives a method as many arguments as its code says it takes."""
    if isinstance(method, classmethod):
        return classmethod(_method(meter, name, method.__func__))
    timed = meter.entry(name, method)
    if method.__code__.co_argcount == 2:
        return lambda self, context: timed(self, context)
    return lambda self, context, event: timed(self, context, event)


def _name(function: Function, addon: str) -> str:
    """Module and name."""
    return f"{function.__module__.removeprefix(addon).strip('.')}:{function.__qualname__}"
