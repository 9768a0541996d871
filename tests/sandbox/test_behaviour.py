import pytest
from attrs import fields
from attrs.exceptions import FrozenInstanceError

from gmi_video.sandbox import Behaviour
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.behaviour import SILENT


def test_a_silent_behaviour_says_nothing() -> None:
    """A behaviour of no arguments is silent on every field, and frozen."""
    assert all(getattr(SILENT, a.name) is None for a in fields(Behaviour))
    with pytest.raises(FrozenInstanceError):
        SILENT.dead = True  # type: ignore[misc]


def test_the_upper_layer_wins_where_it_speaks() -> None:
    """Of two layers the upper one decides what it names, false and zero included; the rest stays."""
    lower = Behaviour(dead=True, seconds=9.0, fails="no")
    upper = Behaviour(dead=False, seconds=0.0)

    assert upper.over(lower) == Behaviour(dead=False, seconds=0.0, fails="no")
    assert SILENT.over(lower) is lower


def test_an_answer_is_reshaped_key_by_key_and_cut() -> None:
    """Keys can be left out and added, and a body can end too early, at an unchanged status."""
    answer = Answer.of({"request_id": "r", "status": "queued"}, 201)

    assert Behaviour(without=("request_id",), adds={"new": 1}).shape(answer) == Answer.of(
        {"status": "queued", "new": 1}, 201
    )
    assert Behaviour(cut=5).shape(answer) == Answer(201, b'{"req')
    assert Behaviour(cut=0).shape(answer).body == b""
    assert SILENT.shape(answer) is answer


@pytest.mark.parametrize(
    ("behaviour", "status", "text"),
    [
        (Behaviour.refused(418, "no"), 418, b'{"error":"no"}'),
        (Behaviour.edge(403), 403, b"1010"),
        (Behaviour.edge(502), 502, b"502 Bad Gateway"),
        (Behaviour.no_capacity(), 503, b"Upstream capacity temporarily exhausted"),
        (Behaviour.unauthorized(), 401, b"error"),
        (Behaviour.garbage(), 200, b"upstream"),
        (Behaviour.rate_limited("m"), 429, b"Rate limit exceeded for model m: 2 requests per 60 seconds."),
    ],
)
def test_a_ready_made_refusal_answers_before_the_queue(
    behaviour: Behaviour, status: int, text: bytes
) -> None:
    """Ready-made refusals are answers that nothing was accepted for."""
    assert behaviour.answer is not None
    assert behaviour.reply is None
    assert behaviour.answer.status == status
    assert text in behaviour.answer.body


def test_a_gateway_may_speak_after_the_work_was_taken_in() -> None:
    """With `accepted` the same words come after the queue did its work."""
    for behaviour in (Behaviour.edge(502, accepted=True), Behaviour.garbage(accepted=True)):
        assert behaviour.answer is None
        assert behaviour.reply is not None
        assert behaviour.shape(Answer.of({})) is behaviour.reply


def test_a_backend_refusal_names_its_status_and_hides_its_reason() -> None:
    """A refusal behind the queue carries the upstream status and the reason that only the list tells."""
    assert Behaviour.backend_refusal(403, "faces") == Behaviour(backend_error=403, fails="faces")
