"""What may stand in a path: ids are checked before they are sent, and say what is wrong with them."""

from gmi_video._convert import REQUEST_ID
from gmi_video.errors import ConfigurationError


def checked_id(request_id: object) -> str:
    """A request id that may stand in a path; raises `ConfigurationError` for anything else."""
    if isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id):
        return request_id
    shown = repr(request_id[:60]) if isinstance(request_id, str) else f"a {type(request_id).__name__}"
    message = (
        f"{shown} is not a request id: those have 1 to 128 letters, digits, '-' or '_', and no other sign"
    )
    raise ConfigurationError(message)


def checked_model(model_id: object) -> str:
    """A model id that may stand, escaped, in a path; raises `ConfigurationError` for anything else."""
    if isinstance(model_id, str) and model_id not in {"", ".", ".."} and model_id.isprintable():
        return model_id
    shown = repr(model_id[:60]) if isinstance(model_id, str) else f"a {type(model_id).__name__}"
    message = f"{shown} is not a model id: those look like 'Veo3' or 'wan2.6-i2v'"
    raise ConfigurationError(message)
