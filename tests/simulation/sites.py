"""Where something can go wrong, and what: every call to AWS in every visit of every state of every command."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

INVOKE = "invoke"
READ = "read"
WRITE = "write"
START = "start"
RESUME = "resume"
PUBLISH = "publish"
HANDLER = "handler"

CRASH = "crash"
CRASH_AFTER = "crash_after"
THROTTLE = "throttle"
CONFLICT = "conflict"
ANSWER_LOST = "answer_lost"
SDK_RETRY = "sdk_retry"
HANG = "hang"
LONG_HANG = "long_hang"
SLOW = "slow"
SLUGGISH = "sluggish"
ABORT = "abort"
LOST = "lost"
TWICE = "twice"
TWICE_LATE = "twice_late"
REFUSED = "refused"
PERMANENT = "permanent"

#: What each kind of call can suffer.
KINDS: dict[str, tuple[str, ...]] = {
    INVOKE: (CRASH, REFUSED, TWICE, TWICE_LATE),
    READ: (CRASH, THROTTLE, SLOW, SLUGGISH, HANG, LONG_HANG, ABORT),
    WRITE: (CRASH, CRASH_AFTER, THROTTLE, CONFLICT, ANSWER_LOST, SDK_RETRY, SLOW, SLUGGISH, HANG, LONG_HANG, ABORT),
    START: (CRASH, CRASH_AFTER, THROTTLE, ANSWER_LOST, SDK_RETRY, SLOW, SLUGGISH, HANG),
    RESUME: (CRASH, CRASH_AFTER, THROTTLE, ANSWER_LOST, SDK_RETRY, LOST, SLOW, SLUGGISH, HANG, ABORT),
    PUBLISH: (CRASH, CRASH_AFTER, THROTTLE, ANSWER_LOST, SDK_RETRY, SLOW, SLUGGISH),
    HANDLER: (CRASH, CRASH_AFTER, THROTTLE, ANSWER_LOST, PERMANENT, HANG, LONG_HANG, ABORT),
}
ALL_KINDS = tuple(dict.fromkeys(kind for kinds in KINDS.values() for kind in kinds))

#: What the story says about an injected fault.
WORDS = {
    CRASH: "CRASHES before {what}",
    CRASH_AFTER: "CRASHES after {what}",
    THROTTLE: "is throttled at {what}",
    CONFLICT: "meets a transaction conflict at {what}",
    ANSWER_LOST: "gets an error for {what}, though it took effect",
    SDK_RETRY: "lets the SDK repeat {what}, which had taken effect",
    SLOW: "needs 3 s for {what}",
    SLUGGISH: "needs 1 s for {what}",
    HANG: "HANGS 40 s before {what}",
    LONG_HANG: "HANGS 400 s before {what}",
    ABORT: "has its execution aborted before {what}",
    LOST: "believes that {what} worked, but it is lost",
    TWICE: "is delivered twice, one after the other",
    TWICE_LATE: "is delivered again 90 s later",
    REFUSED: "is refused by Lambda: too many requests",
    PERMANENT: "fails for good at {what}",
}
#: Slow calls end in time; the others outlast their function, the last one also its lease.
HANG_SECONDS = {SLOW: 3.0, SLUGGISH: 1.0, HANG: 40.0, LONG_HANG: 400.0}


@dataclass(eq=False)
class Visit:
    """One run of a piece of code that calls AWS: a visit of a state, a publish, a batch of stream records.

    ``calls`` counts its calls; a site's name is ``<entity>@<version> <state>#<visit>.<call>``, the same whatever
    the interleaving, so that a fault can be named, left out or repeated. Call 0 is the invocation itself.
    """

    entity: str
    version: int
    state: str
    number: int
    execution: str | None = None
    calls: int = 0

    @property
    def who(self) -> str:
        """``finish#2``."""
        return f"{self.state}#{self.number}"

    def site(self) -> str:
        """The site of the present call."""
        return f"{self.entity}@{self.version} {self.state}#{self.number}.{self.calls}"


#: Whose code runs now. Tasks inherit it, as a function's own calls do.
current_visit: ContextVar[Visit] = ContextVar("current_visit")
