"""Notes which public methods of a client are called, how each call ends, and how each step of a play ends.

It runs in the environment of the clients, apart from the tests; the play prints what it noted as JSON.
"""

import contextlib
import functools
import importlib
import inspect
import json
import pkgutil
import time
import types


class Recording:
    """What a play of one client did."""

    def __init__(self, package: str, *left_out: str) -> None:
        self.package, self.steps, self.calls, self.methods = package, {}, {}, []
        for module in self._load(left_out):
            for kind in list(vars(module).values()):
                if inspect.isclass(kind) and kind.__module__ == module.__name__:
                    self._watch(kind)

    def _load(self, left_out: tuple[str, ...]) -> list[types.ModuleType]:
        package = importlib.import_module(self.package)
        names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{self.package}.")]
        return [package, *(importlib.import_module(name) for name in names if not name.startswith(left_out or ("-",)))]

    def _watch(self, kind: type) -> None:
        for name, function in list(vars(kind).items()):
            if name.startswith("_") or not inspect.isfunction(function):
                continue
            full = f"{kind.__name__}.{name}"
            self.methods.append(full)
            setattr(kind, name, self._wrap(full, function))

    def _wrap(self, full: str, function: types.FunctionType) -> object:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run(*arguments: object, **named: object) -> object:
                with self._noting(full):
                    return await function(*arguments, **named)

            return run

        @functools.wraps(function)
        def call(*arguments: object, **named: object) -> object:
            with self._noting(full):
                return function(*arguments, **named)

        return call

    @contextlib.contextmanager
    def _noting(self, full: str) -> object:
        ends = self.calls.setdefault(full, [])
        try:
            yield
        except Exception as fault:
            ends.append(type(fault).__name__)
            raise
        ends.append("ok")

    @contextlib.contextmanager
    def step(self, name: str) -> object:
        """A part of the play; if it fails, the play goes on."""
        self.steps[name] = "ok"
        try:
            yield
        except Exception as fault:
            self.steps[name] = f"{type(fault).__name__}: {str(fault)[:500]}"

    @contextlib.contextmanager
    def refused(self, name: str, *kinds: str) -> object:
        """A part of the play that must end with one of these exceptions, as on a real Jenkins."""
        self.steps[name] = f"no {' or '.join(kinds)}"
        try:
            yield
        except Exception as fault:
            self.steps[name] = "ok" if type(fault).__name__ in kinds else f"{type(fault).__name__}: {str(fault)[:500]}"

    def print(self) -> None:
        """Print what was noted."""
        called = {name: sorted(set(ends)) for name, ends in sorted(self.calls.items())}
        print(json.dumps({"steps": self.steps, "calls": called, "methods": sorted(self.methods)}))


def until(what: object, seconds: float = 120) -> object:
    """Ask until the answer is true."""
    end = time.monotonic() + seconds
    while not (value := what()):
        if time.monotonic() > end:
            raise TimeoutError("it did not happen in time")
        time.sleep(0.1)
    return value
