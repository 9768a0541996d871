"""What a refusal is about, from the words that were seen in production."""

import pytest

from gmi_video._kind import kind_of
from gmi_video.records import Kind


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Music generation failed: rate limit exceeded(RPM)", "rate"),
        (
            "Rate limit exceeded for model seedream-5.0-lite: 2 requests per 60 seconds. Retry in 29970 ms.",
            "rate",
        ),
        ("rate_limit_exceeded", "rate"),
        ("Too Many Requests", "rate"),
        ("Backend error (429). Please try again.", "rate"),
        ("Insufficient credits. Please add more credits to your account.", "credit"),
        ("insufficient balance", "credit"),
        ("the prompt was refused by content moderation", "content"),
        ("This violates our content policy", "content"),
        ("blocked by safety system", "content"),
        ("inappropriate content", "content"),
        ("The image contains a realistic human face", "content"),
        ("you do not have access", "access"),
        ("this key does not have access to the model", "access"),
        ("Access token expired or invalid", "access"),
        ("Unauthorised", "access"),
        ("Backend error (401). Please try again.", "access"),
        ("Backend error (403). Please try again.", "access"),
        ("Backend error (400). Please try again.", "input"),
        ("Backend error (404). Please try again.", "input"),
        ("Backend error (422). Please try again.", "input"),
        ("invalid payload parameters: image (Required parameter is missing)", "input"),
        ("lyrics (Required parameter is missing)", "input"),
        ("too many reference images", "input"),
        ("Generation rejected; please review the prompt and parameters then retry", "input"),
        ("seed must be in [0,2147483647] (code: InvalidParameter)", "input"),
        ("content must include at least one text item", "input"),
        ("Failed to download media", "input"),
        ("Image pixel is invalid", "input"),
        ("price not found", "input"),
        ("Upstream capacity temporarily exhausted", "service"),
        ("Service temporarily unavailable. All endpoints are overloaded.", "service"),
        ("temporary backend error", "service"),
        ("Backend error (503). Please try again.", "service"),
        ("request timed out", "service"),
        ("internal server error", "service"),
        ("model veo3 does not exist (ids are case-sensitive)", "unknown"),
        ("Request not found", "unknown"),
        ("the sky fell", "unknown"),
        ("", "unknown"),
    ],
)
def test_words_of_the_service_have_a_kind(words: str, kind: Kind) -> None:
    """Each text that the service was seen to write is sorted by whose turn it is."""
    assert kind == kind_of(words)


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        ("", "RATE_LIMIT_EXCEEDED", "rate"),
        ("it did not work", "INVALID_INPUT", "input"),
        ("it did not work", "InputImageSensitiveContentDetected", "content"),
        ("it did not work", "402", "credit"),
        ("it did not work", "INSUFFICIENT_CREDIT", "credit"),
        ("rate limit exceeded", "INVALID_INPUT", "rate"),
        ("it did not work", "E17", "unknown"),
        ("", None, "unknown"),
    ],
)
def test_a_code_is_asked_where_the_words_say_nothing(words: str, code: str | None, kind: Kind) -> None:
    """Words win; a code decides only where they give no sign."""
    assert kind == kind_of(words, code)
