"""`Behaviour`: how one model, or one call, departs from a healthy service. Pure values."""

from collections.abc import Mapping
from math import inf, log
from random import Random
from typing import Literal, Self

from attrs import evolve, field, fields, frozen
from attrs.validators import ge, gt

from gmi_video.sandbox import answers
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.faults import Fault
from gmi_video.sandbox.listing import Listing
from gmi_video.sandbox.serving import Serving

OutcomeShape = Literal["video_url", "media_urls", "media_strings", "both", "audio_url", "image_url", "empty"]
FailurePlace = Literal[
    "outcome.error",
    "outcome.error.object",
    "outcome.message",
    "outcome.error_message",
    "outcome.fail_reason",
    "error",
    "error_message",
    "reason",
    "nowhere",
]


@frozen(kw_only=True)
class Spread:
    """Seconds drawn by seed for each request: a lognormal of this median and sigma, at most `longest`."""

    median: float = field(validator=gt(0))
    sigma: float = field(default=0.5, validator=ge(0))
    longest: float = inf

    def draw(self, rng: Random) -> float:
        """One request's seconds."""
        return min(rng.lognormvariate(log(self.median), self.sigma), self.longest)


@frozen(kw_only=True)
class Foreign:
    """Twins of a submission, made by somebody else on this account: equal payload, no charge of ours.

    One twin comes `after` so many seconds, each number one twin; 0 is right after ours. They come whether
    ours is accepted or lost on its way, but not where its body was never read. `share` of the submissions
    have them, by seed. `console`: made by hand in the web console, listed but 404 by id.
    """

    after: tuple[float, ...] = (0.0,)
    share: float = 1.0
    console: bool = False


@frozen(kw_only=True)
class Behaviour:
    """How one model, or one call, departs from a healthy service. None everywhere: not at all.

    Behaviours lie in layers (the model's nature, `Script.models["*"]`, `Script.models[id]`, the n-th
    submission), and the last layer that says something about a field wins. All seconds but `rpm_seconds`
    are seconds of the request's life, which the sandbox's `speed` divides.
    """

    # The life of a request
    dead: bool | None = None
    """Accepts and never runs: queued for ever, `updated_at == created_at`, no error (Flux2-Klein, Z-Image)."""
    queued: float | None = None
    """Seconds before the work starts; else a small seeded share of the whole."""
    seconds: float | None = None
    """Seconds from creation to the end, exactly; else drawn from `median` and `sigma`."""
    median: float | None = None
    """Median of the seeded lognormal of the seconds from creation to the end."""
    sigma: float | None = None
    """Sigma of that lognormal, 0.3 unless told."""
    steps: tuple[str, ...] | None = None
    """Status words before the end. Veo3's page begins with `dispatched`, every newer one with `queued`."""
    words: Mapping[str, str] | None = None
    """Other words for statuses, e.g. `{"success": "completed"}`: a vendor may grow words without notice."""
    fails: str | None = None
    """Ends `failed` with this text. Failed requests are not charged: the price comes back at the end."""
    failure: FailurePlace | None = None
    """Where the failure's text stands: a string or an object in `outcome.error` in production, else elsewhere."""
    code: str | None = None
    """`code` of the error object, beside `message` and `status`."""
    cancelled: bool | None = None
    """Ends `cancelled`, as a request stopped in the console does."""
    outcome: OutcomeShape | None = None
    """Which of the success shapes the model speaks; "empty" is success without any media."""
    thumbnail: Literal["image", "video", "none"] | None = None
    """A JPEG, the MP4 once more (as on the Veo3 page), or no thumbnail at all."""
    outcome_after: float | None = None
    """Seconds after `success` for which `outcome` is still null; infinity: for ever."""
    stored_after: float | None = None
    """Seconds after `success` for which the bucket still says 404."""
    link_lasts: int | None = None
    """Outcomes name signed links that lead to the file for so many seconds (of the sandbox's time); each look
    at the record gives a fresh one."""
    link_ends_as: Literal[400, 403, 404, 410] | None = None
    """The status of such a link past its time: 400 "ExpiredToken" as the real storage says, unless told."""
    echo: Literal["payload", "empty"] | None = None
    """"empty": the record's payload is `{}`, as seen once on an image-to-image call."""
    unknown_for: float | Spread | None = None
    """Seconds after creation for which a look answers 404 (a replica that lags)."""
    unlisted_for: float | Spread | None = None
    """Seconds after creation for which the list does not show the request."""

    # The submission
    sync: bool | None = None
    """The POST blocks until the work is done and answers the finished record (seedream, speech, music)."""
    answers_after: float | None = None
    """Seconds before this call is answered; a submission's record exists, and is charged, at once."""
    not_entitled: Literal[403, 404] | None = None
    """Listed, and its payload is checked, but this account may not use it."""
    rpm: int | None = None
    """Submissions of the model per `rpm_seconds`, a sliding window per account."""
    rpm_seconds: float | None = None
    """The window of `rpm`, 60 unless told; real seconds, whatever `speed` is."""
    rpm_as: Literal["refusal", "failure"] | None = None
    """A 429 with the exact body, or an accepted request that ends failed with "rate limit exceeded(RPM)"."""
    retry_after_header: bool | None = None
    """Send `Retry-After` with the 429 too; nobody has confirmed that the service does."""
    backend_error: int | None = None
    """500 "Backend error (NNN)": no id is told, but a failed record, saying `fails`, stands in the list."""
    answer: Answer | None = None
    """Answered so, and nothing is accepted. Said of one call, the edge speaks and the queue never hears of it;
    said of a model, it is what comes from behind the queue when every check was passed."""
    reply: Answer | None = None
    """The queue does its work (and charges), then the caller is told this instead."""
    without: tuple[str, ...] | None = None
    """Keys left out of the answer's JSON, e.g. `("request_id",)`."""
    adds: Mapping[str, object] | None = None
    """Keys added to the answer's JSON."""
    cut: int | None = None
    """Bytes of the answer's body that are sent, with a length to match: JSON that ends too early."""
    foreign: Foreign | None = None
    """Other processes on the same account submit the same payload at about the same time."""

    # The transport, the list and the bucket
    fault: Fault | None = None
    """What happens to the call on the wire."""
    listing: Listing | None = None
    """How this one list departs from a whole one."""
    serving: Serving | None = None
    """How the bucket departs from an honest one, in this one call."""

    def over(self, lower: "Behaviour") -> "Behaviour":
        """This behaviour, and what `lower` says wherever this one is silent."""
        said = {a.name: value for a in fields(Behaviour) if (value := getattr(self, a.name)) is not None}
        return evolve(lower, **said) if said else lower

    def shape(self, answer: Answer) -> Answer:
        """`answer` as this behaviour lets it out."""
        if self.reply is not None:
            answer = self.reply
        if self.without or self.adds or self.cut is not None:
            answer = answers.reshaped(answer, self.without or (), self.adds or {}, self.cut)
        return answer if self.fault is None else evolve(answer, fault=self.fault)

    @classmethod
    def refused(cls, status: int, text: str) -> Self:
        """An error in the queue's envelope, nothing accepted."""
        return cls(answer=Answer.refusal(status, text))

    @classmethod
    def edge(cls, status: int, *, accepted: bool = False) -> Self:
        """HTML of the edge: 403 is Cloudflare's error 1010, others are a gateway's page.

        `accepted`: the queue did its work (and charges for it) before the edge spoke.
        """
        return cls._told(Answer.html(status), accepted)

    @classmethod
    def no_capacity(cls, text: str = "Upstream capacity temporarily exhausted") -> Self:
        """503; also seen: "Service temporarily unavailable. All endpoints are overloaded."."""
        return cls(answer=answers.capacity(text))

    @classmethod
    def rate_limited(
        cls, model: str, *, limit: int = 2, interval: float = 60, retry_after: float = 29.97
    ) -> Self:
        """A single 429 with the body seen in production."""
        return cls(answer=answers.rate_limited(model, limit, interval, retry_after))

    @classmethod
    def unauthorized(cls) -> Self:
        """A single 401."""
        return cls(answer=answers.unauthorized())

    @classmethod
    def garbage(
        cls, body: bytes = b"upstream connect error", status: int = 200, *, accepted: bool = False
    ) -> Self:
        """A body that is not JSON, whatever its type says; `accepted` as for `edge`."""
        return cls._told(Answer(status, body), accepted)

    @classmethod
    def backend_refusal(cls, status: int, reason: str) -> Self:
        """500 "Backend error (status)", with `reason` in a failed record of the list."""
        return cls(backend_error=status, fails=reason)

    @classmethod
    def _told(cls, answer: Answer, accepted: bool) -> Self:  # noqa: FBT001  # private, and named at each call
        return cls(reply=answer) if accepted else cls(answer=answer)


SILENT = Behaviour()
"""The behaviour of a healthy call."""
