"""``dataclass`` and ``field`` as in the standard library, without the code that it generates for each class.

The standard library's decorator compiles the methods of a class from text: 0.3 to 0.6 ms per class, at each cold start
(decision record 0200). Here all classes share generic methods that look up the fields. Type checkers see the standard
library's version; so do ``dataclasses.replace``, ``asdict`` and ``fields``. Unused features aren't supported:
``order``, ``kw_only``, ``InitVar`` and ``ClassVar``. An instance has a ``__dict__``, no slots.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
else:

    def dataclass(cls=None, *, frozen=False):
        """Add the methods that the class doesn't define itself."""
        return _made(cls, frozen) if cls is not None else lambda cls: _made(cls, frozen)

    def field(*, default_factory):
        """A field whose value is created for each instance."""
        return _Factory(default_factory)


class _Factory:
    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


_NONE = object()


def _made(cls: Any, frozen: bool) -> Any:
    # Field to its default: those of the bases first, in the order of their declaration.
    defaults = {name: value for base in cls.__mro__[:0:-1] for name, value in vars(base).get("_defaults", {}).items()}
    for name in vars(cls).get("__annotations__", ()):
        defaults[name] = vars(cls).get(name, _NONE)
        if isinstance(defaults[name], _Factory):
            delattr(cls, name)
    for name, value in {"_defaults": defaults, "__match_args__": tuple(defaults)}.items():
        setattr(cls, name, value)
    for name in ("__dataclass_fields__", "__dataclass_params__", "__signature__"):
        setattr(cls, name, _OfTwin(name, frozen))
    methods: dict[str, Any] = {"__init__": _init, "__repr__": _repr, "__eq__": _eq, "__hash__": None}
    if frozen:
        methods |= {"__hash__": _hash, "__setattr__": _refuse, "__delattr__": _refuse}
    for name, method in methods.items():
        if vars(cls).get(name) is None:  # Python itself sets ``__hash__ = None`` if a class has an ``__eq__``
            setattr(cls, name, method)
    return cls


def _init(self: Any, /, *args: Any, **given: Any) -> None:
    defaults, values = self._defaults, self.__dict__
    values.update(zip(defaults, args))  # noqa: B905 - the lengths are compared below, which is faster than strict=
    if given:
        values.update(given)
    if len(values) != len(args) + len(given) or not given.keys() <= defaults.keys():
        raise TypeError(f"{type(self).__qualname__}() takes {', '.join(defaults)}, each once")
    if len(values) != len(defaults):
        for name, default in defaults.items():
            if name not in values:
                if default is _NONE:
                    raise TypeError(f"{type(self).__qualname__}() misses {name!r}")
                values[name] = default.make() if type(default) is _Factory else default
    after = getattr(self, "__post_init__", None)
    if after is not None:
        after()


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self._defaults])


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._defaults)
    return f"{type(self).__qualname__}({shown})"


def _eq(self: Any, other: object) -> Any:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _refuse(self: Any, name: str, *value: Any) -> None:
    from dataclasses import FrozenInstanceError  # needed only for errors

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


class _OfTwin:
    """An attribute by which ``dataclasses`` and ``inspect`` recognise a class: taken from a twin that the standard
    library creates from the same fields at first access.
    """

    def __init__(self, name: str, frozen: bool) -> None:
        self._name = name
        self._frozen = frozen

    def __get__(self, instance: Any, cls: Any) -> Any:
        import dataclasses  # needed by operators' commands and tests, not by workers
        import inspect

        annotations: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            annotations |= vars(base).get("__annotations__", {})
        namespace: dict[str, Any] = {"__annotations__": {name: annotations[name] for name in cls._defaults}}
        for name, default in cls._defaults.items():
            if default is not _NONE:
                is_made = isinstance(default, _Factory)
                namespace[name] = dataclasses.field(default_factory=default.make) if is_made else default
        twin: Any = dataclasses.dataclass(frozen=self._frozen)(type(cls.__name__, (), namespace))
        found = inspect.signature(twin) if self._name == "__signature__" else getattr(twin, self._name)
        setattr(cls, self._name, found)  # later accesses skip this descriptor
        return found
