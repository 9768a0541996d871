"""Exit codes, and what an error means for the person at the terminal. Pure."""

from gmi_video import errors

OK = 0
FAILED = 1
USAGE = 2
KEY = 3
CREDITS = 4
DECISION = 5
INTERRUPTED = 130

TABLE = """\
Exit codes: 0 done · 1 some requests failed · 2 wrong usage or configuration · 3 the key was refused · \
4 out of credits · 5 a charge needs your decision · 130 interrupted, can be resumed."""


def code_of(error: errors.GmiVideoError) -> int:
    """The exit code for an error.

    A target that cannot be written is wrong usage only as long as nothing was paid: then no id is known.
    """
    match error:
        case errors.SubmissionUncertain():
            return DECISION
        case errors.Unauthorized() | errors.NotEntitled():
            return KEY
        case errors.InsufficientCredit():
            return CREDITS
        case errors.ConfigurationError() | errors.PayloadInvalid():
            return USAGE
        case errors.TargetUnusable(request_id=None):
            return USAGE
    return FAILED


def over(error: errors.GmiVideoError) -> bool:
    """Whether the request that an error speaks of has ended, so that nothing is left to resume."""
    ends = errors.GenerationFailed | errors.GenerationCancelled | errors.GenerationEmpty | errors.NotFound
    return isinstance(error, ends)


def advice(error: errors.GmiVideoError) -> str | None:
    """What to do next, where that is not plain from the error's own sentence."""
    match error:
        case errors.SubmissionUncertain(candidates=candidates) if candidates:
            look = f"gmi-video status {' '.join(candidates)}"
            return f"Do not just repeat it: it may be running and be charged. It may be one of these: {look}"
        case errors.SubmissionUncertain(evidence=evidence) if "no list of requests" in evidence:
            return (
                "Do not just repeat it: it may be running and be charged. See your requests in the console."
            )
        case errors.SubmissionUncertain():
            look = "gmi-video list --since 15m"
            return f"Do not just repeat it: it may be running and be charged. See whether it is: {look}"
        case errors.InsufficientCredit():
            return "Add credits at console.gmicloud.ai; nothing was charged."
    return None
