"""For a class whose methods are written in several cells of a notebook."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType


def add_to(cls: type) -> Callable[[FunctionType], FunctionType]:
    """A decorator that makes a function a method of ``cls``, as if it stood in the class body.

    Instances that exist already get the method, too. Running the cell again replaces it.
    """

    def attach(function: FunctionType) -> FunctionType:
        function.__qualname__ = f"{cls.__qualname__}.{function.__name__}"
        setattr(cls, function.__name__, function)
        return function

    return attach
