"""The list of checks and the loop that runs them.

A check is a function that takes a running sandbox and raises when something is wrong.
"""

import contextlib
import io
import time
import traceback
from typing import Callable

import sandbox

_CHECKS: list[tuple[str, Callable]] = []


def check(name: str, *, seed: Callable[[], dict] | None = None, **options) -> Callable:
    """Registers a check. `seed` makes the sandbox's seed; without one it serves a sample of every type.
    The other options are those of `sandbox.Sandbox`."""

    def register(function: Callable) -> Callable:
        def with_sandbox() -> None:
            with sandbox.Sandbox(seed() if seed else None, **options) as running:
                function(running)

        _CHECKS.append((name, with_sandbox))
        return function

    return register


def check_alone(name: str) -> Callable:
    """Registers a check that needs no sandbox."""

    def register(function: Callable) -> Callable:
        _CHECKS.append((name, function))
        return function

    return register


def equal(found, expected, what: str) -> None:
    """Fails with both values when they differ; long ones, such as files, are cut."""
    if found != expected:
        shown = [text if len(text) < 3000 else text[:3000] + "..." for text in (repr(expected), repr(found))]
        raise AssertionError(f"{what}: expected {shown[0]}, found {shown[1]}")


def raises(kind: type[BaseException], action: Callable, what: str) -> BaseException:
    """Fails unless the action raises this kind of exception; returns the exception."""
    try:
        action()
    except kind as error:
        return error
    except Exception as error:
        raise AssertionError(f"{what}: expected {kind.__name__}, got {type(error).__name__}: {error}") from error
    raise AssertionError(f"{what}: nothing was raised")


def run(only: str) -> int:
    """Runs the checks whose name contains `only`; the result is the exit code."""
    passed, failed = 0, 0
    for name, function in _CHECKS:
        if only not in name:
            continue
        start = time.monotonic()
        # The reference draws progress bars; they are shown only when they may explain something.
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                function()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            failed += 1
            trace = "".join(traceback.format_exception(error))
            print(f"FAILED  {name}\n{printed.getvalue()[-2000:]}\n{trace}", flush=True)
        else:
            passed += 1
            print(f"ok      {name} ({time.monotonic() - start:.1f} s)", flush=True)
    print(f"peers: {passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0
