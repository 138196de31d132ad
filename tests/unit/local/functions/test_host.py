"""The function host, in virtual and in real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.functions.host import FunctionHost
from local.functions.model import (
    FunctionNotFound,
    FunctionSpec,
    InvokeResult,
    RequestTooLarge,
    SimulatedCrash,
    TooManyRequests,
    current_function,
)
from local.scheduler import Scheduler
from tests.unit.local.functions.conftest import MakeFunction

Call = Callable[..., InvokeResult]

COUNTING = """
    starts = []
    def create(env, **overrides):
        starts.append(1)
        return lambda event, context: handle(event, len(starts))
    def handle(event, cold):
        if event == "exit":
            raise SystemExit(3)
        if event == "sleep":
            import time; time.sleep(30)
        if event == "raise":
            raise ValueError("bad value")
        return {"cold": cold, "event": event}
"""


@pytest.fixture(params=["virtual", "real"])
def scheduler(request: pytest.FixtureRequest) -> Iterator[Scheduler]:
    made = Scheduler.virtual(seed=1) if request.param == "virtual" else Scheduler.real()
    yield made
    started = time.monotonic()
    made.stop()
    assert time.monotonic() - started < 2


@pytest.fixture
def host(scheduler: Scheduler) -> FunctionHost:
    return FunctionHost(scheduler)


def invoke(scheduler: Scheduler, host: FunctionHost, spec: FunctionSpec, *payloads: Any) -> list[InvokeResult]:
    """Call the function once per payload, one after the other."""
    if spec.name not in host.names:
        host.register(spec)
    task = scheduler.spawn(lambda: [host.invoke(spec.name, payload) for payload in payloads])
    scheduler.run_until(lambda: task.future.done, timeout=20)
    found: list[InvokeResult] = task.future.result()
    return found


def test_one_cold_start_for_many_calls(scheduler: Scheduler, host: FunctionHost, make_function: MakeFunction) -> None:
    results = invoke(scheduler, host, make_function(COUNTING), {"n": 1}, [1.5, None], "text")

    assert [r.payload for r in results] == [
        {"cold": 1, "event": {"n": 1}},
        {"cold": 1, "event": [1.5, None]},
        {"cold": 1, "event": "text"},
    ]
    assert all(r.error is None and r.executed_version == "$LATEST" for r in results)
    assert len({r.request_id for r in results}) == 3


def test_an_exception_is_reported_by_its_class_and_keeps_the_instance(
    scheduler: Scheduler, host: FunctionHost, make_function: MakeFunction
) -> None:
    failed, after = invoke(scheduler, host, make_function(COUNTING), "raise", "x")

    assert failed.error is not None
    assert (failed.error.error_type, failed.error.message, failed.payload) == ("ValueError", "bad value", None)
    assert "handlers/entrypoints/f.py" in failed.error.stack[-1]
    assert "host.py" not in "".join(failed.error.stack)
    assert failed.error.payload() == {
        "errorMessage": "bad value",
        "errorType": "ValueError",
        "requestId": failed.request_id,
        "stackTrace": list(failed.error.stack),
    }
    assert after.payload["cold"] == 1


def test_pipe_07_an_exit_is_a_runtime_exit_error_and_the_next_call_starts_cold(
    scheduler: Scheduler, host: FunctionHost, make_function: MakeFunction
) -> None:
    crashed, after = invoke(scheduler, host, make_function(COUNTING), "exit", "x")

    assert crashed.error is not None
    assert crashed.error.error_type == "Runtime.ExitError"
    assert crashed.error.message.endswith("Runtime exited with error: exit status 3")
    assert after.payload["cold"] == 2


def test_a_function_gets_what_it_has_parameters_for(scheduler: Scheduler, make_function: MakeFunction) -> None:
    host = FunctionHost(scheduler, create_overrides={"one": 1, "two": 2})
    spec = make_function("def create(env, *, two):\n    return lambda event, context: two\n")
    (result,) = invoke(scheduler, host, spec, {})
    assert result.payload == 2


def test_pipe_07_a_simulated_crash_inside_a_call_counts_as_an_exit(
    scheduler: Scheduler, make_function: MakeFunction
) -> None:
    def power_cut() -> None:
        raise SimulatedCrash("power cut")

    host = FunctionHost(scheduler, create_overrides={"at_step": power_cut})
    spec = make_function(
        """
        def create(env, *, at_step):
            def handler(event, context):
                try:
                    at_step()
                except Exception:
                    return "swallowed"
            return handler
        """
    )

    (result,) = invoke(scheduler, host, spec, {})

    assert result.error is not None
    assert result.error.error_type == "Runtime.ExitError"
    assert "power cut" in result.error.message


def test_pipe_07_out_of_time_in_real_time_does_not_block_the_stop(make_function: MakeFunction) -> None:
    scheduler = Scheduler.real()
    host = FunctionHost(scheduler)
    started = time.monotonic()

    late, after = invoke(scheduler, host, make_function(COUNTING, timeout_s=0.2), "sleep", "x")
    scheduler.stop()

    assert late.error is not None
    assert late.error.error_type == "Sandbox.Timedout"
    assert late.error.message.endswith("Task timed out after 0.20 seconds")
    assert after.payload["cold"] == 2
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(("kill", "expected"), [(False, ["start", "end"]), (True, ["start"])])
def test_pipe_07_out_of_time_in_virtual_time_leaves_a_zombie_unless_killed(
    make_function: MakeFunction, kill: bool, expected: list[str]
) -> None:
    scheduler = Scheduler.virtual()
    steps: list[str] = []
    host = FunctionHost(
        scheduler, create_overrides={"sleep": scheduler.sleep, "note": steps.append}, kill_timed_out=kill
    )
    spec = make_function(
        """
        def create(env, *, sleep, note):
            def handler(event, context):
                note("start")
                sleep(10)
                note("end")
            return handler
        """,
        timeout_s=4,
    )
    started = scheduler.now()

    (late,) = invoke(scheduler, host, spec, {})
    assert scheduler.now() - started == pytest.approx(4)
    scheduler.run_until_idle()

    assert late.error is not None
    assert late.error.error_type == "Sandbox.Timedout"
    assert steps == expected


def test_the_remaining_time_and_the_rest_of_the_context(make_function: MakeFunction) -> None:
    scheduler = Scheduler.virtual()
    seen: list[Any] = []
    host = FunctionHost(scheduler, create_overrides={"sleep": scheduler.sleep, "see": seen.append})
    spec = make_function(
        """
        def create(env, *, sleep, see):
            def handler(event, context):
                see(context.get_remaining_time_in_millis())
                sleep(1.5)
                see(context.get_remaining_time_in_millis())
                return vars(context)["function_name"], context.aws_request_id, context.memory_limit_in_mb, \
                    context.invoked_function_arn, context.log_group_name, context.function_version
            return handler
        """,
        timeout_s=4,
        memory_mb=512,
    )

    (result,) = invoke(scheduler, host, spec, {})

    assert seen == [4000, 2500]
    assert result.payload == ["f", result.request_id, 512, spec.arn, "/aws/lambda/f", "$LATEST"]


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        (
            "import nothing_like_it",
            "Runtime.ImportModuleError",
            "Unable to import module 'handlers.entrypoints.f': No m",
        ),
        ("def broken(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'handlers.entrypoints.f'"),
        ("raise LookupError('no such thing')", "LookupError", "no such thing"),
        ("def create(env): raise KeyError('TABLE')", "KeyError", "'TABLE'"),
        ("other = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'handlers.entrypoints.f'"),
    ],
)
def test_errors_of_the_cold_start(
    scheduler: Scheduler, host: FunctionHost, make_function: MakeFunction, code: str, error_type: str, message: str
) -> None:
    results = invoke(scheduler, host, make_function(code), {}, {})

    for result in results:
        assert result.error is not None
        assert result.error.error_type == error_type
        assert result.error.message.startswith(message)


def test_a_plain_function_finds_its_variables_at_import(
    scheduler: Scheduler, host: FunctionHost, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTING", "process")
    code = """
        import os
        SETTING, REGION = os.environ["SETTING"], os.environ["AWS_REGION"]
        def handler(event, context):
            return [SETTING, REGION, event]
    """

    (result,) = invoke(scheduler, host, make_function(code, env={"SETTING": "own"}), 1)

    assert result.payload == ["own", "us-east-1", 1]


def test_answers_that_are_no_json_or_too_large(
    scheduler: Scheduler, host: FunctionHost, make_function: MakeFunction
) -> None:
    code = """
        def handler(event, context):
            return {"set": {1}, "nan": float("nan"), "large": "x" * (6 * 1024 * 1024), "fits": "x" * 6_000_000}[event]
    """

    results = invoke(scheduler, host, make_function(code), "set", "nan", "large", "fits")

    types = [r.error and r.error.error_type for r in results]
    assert types == ["Runtime.MarshalError", "Runtime.MarshalError", "Function.ResponseSizeTooLarge", None]
    assert len(results[3].payload) == 6_000_000


def test_calls_that_lambda_refuses(scheduler: Scheduler, host: FunctionHost, make_function: MakeFunction) -> None:
    host.register(make_function("def handler(event, context): return event", reserved_concurrency=0))
    host.register(make_function("def handler(event, context): return event", name="g"))

    def expect(error: type[Exception], function: str, payload: Any) -> None:
        with pytest.raises(error):
            host.invoke(function, payload)

    def run() -> None:
        expect(FunctionNotFound, "nobody", {})
        expect(TooManyRequests, "f", {})
        expect(RequestTooLarge, "g", "x" * (6 * 1024 * 1024))

    task = scheduler.spawn(run)
    scheduler.run_until(lambda: task.future.done, timeout=20)
    task.future.result()
    assert (FunctionNotFound.error_name, TooManyRequests.error_name) == (
        "Lambda.ResourceNotFoundException",
        "Lambda.TooManyRequestsException",
    )


def test_reserved_concurrency_counts_running_calls(make_function: MakeFunction) -> None:
    scheduler = Scheduler.virtual()
    host = FunctionHost(scheduler, create_overrides={"sleep": scheduler.sleep})
    code = """
        def create(env, *, sleep):
            return lambda event, context: sleep(1)
    """
    spec = make_function(code, reserved_concurrency=2)
    host.register(spec)
    outcomes: list[str] = []

    def call(delay: float) -> None:
        scheduler.sleep(delay)
        try:
            host.invoke(spec.arn, {})
        except TooManyRequests:
            outcomes.append("refused")
        else:
            outcomes.append("done")

    for delay in (0.0, 0.1, 0.2, 1.05):
        scheduler.spawn(call, delay)
    scheduler.run_until_idle()

    assert outcomes == ["refused", "done", "done", "done"]


def test_interceptors_duplicate_delay_and_crash_calls(make_function: MakeFunction) -> None:
    scheduler = Scheduler.virtual()
    host = FunctionHost(scheduler)
    seen: list[tuple[str, Any]] = []

    def intercept(function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
        seen.append((function, payload))
        if payload == "crash":
            raise SimulatedCrash
        if payload == "twice":
            proceed("first")
            scheduler.sleep(5)
        return proceed(payload)

    host.interceptors.append(intercept)
    started = scheduler.now()
    twice, crash, after = invoke(scheduler, host, make_function(COUNTING), "twice", "crash", "x")

    assert (twice.payload, after.payload) == ({"cold": 1, "event": "twice"}, {"cold": 2, "event": "x"})
    assert crash.error is not None
    assert crash.error.error_type == "Runtime.ExitError"
    assert seen == [("f", "twice"), ("f", "crash"), ("f", "x")]
    assert scheduler.now() - started == pytest.approx(5)


def test_the_function_is_known_to_what_it_calls(scheduler: Scheduler, make_function: MakeFunction) -> None:
    host = FunctionHost(scheduler, create_overrides={"who": current_function.get})
    spec = make_function("def create(env, *, who): return lambda event, context: who()")

    (result,) = invoke(scheduler, host, spec, {})

    assert result.payload == "f"
    assert current_function.get() is None


def test_an_update_starts_cold_with_the_new_code(
    scheduler: Scheduler, host: FunctionHost, make_function: MakeFunction
) -> None:
    (old,) = invoke(scheduler, host, make_function("def handler(e, c): return 'old'"), {})
    new = make_function("def handler(e, c): return 'new'", name="copy")
    host.update(FunctionSpec(**{**vars(new), "name": "f"}))

    assert [old.payload, invoke(scheduler, host, host.get("f"), {})[0].payload] == ["old", "new"]
    with pytest.raises(ValueError, match="registered already"):
        host.register(host.get("f"))
    host.unregister("f")
    with pytest.raises(FunctionNotFound, match="Function not found: f"):
        host.get("f")


def test_a_handler_without_an_archive_starts_cold_like_any_other(tmp_path: Path) -> None:
    scheduler = Scheduler.virtual()
    host = FunctionHost(scheduler)
    starts: list[int] = []

    def start() -> Callable[[Any, Any], Any]:
        starts.append(1)

        def handler(event: Any, context: Any) -> Any:
            if event == "crash":
                raise SimulatedCrash
            return [event, len(starts)]

        return handler

    host.register(FunctionSpec("f", "arn:aws:lambda:us-east-1:123456789012:function:f", "", tmp_path), start=start)
    results = [scheduler.spawn(lambda: [host.invoke("f", event) for event in ("a", "b", "crash", "c")])]
    scheduler.run_until_idle()
    answers = results[0].future.result()
    assert [answer.payload for answer in answers] == [["a", 1], ["b", 1], None, ["c", 2]]
    assert answers[2].error.error_type == "Runtime.ExitError"
