"""The vendor's own SDK, run against the sandbox's console door: its documented flow, from models to success.

It needs no package of ours, and wants an environment of its own:

    gmi-video sandbox --port 8080 --speed 60 &
    python3 -m venv sdk && sdk/bin/pip install gmicloud requests pydantic PyJWT tqdm python-dateutil
    sdk/bin/python benchmarks/vendor_sdk.py http://127.0.0.1:8080/api/v1

The SDK does not list what it needs, and takes its address from a constant that its modules copy when they are
imported; so names other than this machine's are refused before it is, and each copy is replaced after.
"""

import os
import socket
import sys
import tempfile
import time
from typing import Any

VENDOR = "https://console.gmicloud.ai/api/v1"
MODEL = "Wan-AI_Wan2.1-T2V-14B"
PAYLOAD = {
    "prompt": "a kite over a harbour",
    "video_length": 5,
    "negative_prompt": "blurry",
    "cfg_scale": 7.5,
}
HERE = frozenset({"127.0.0.1", "localhost", "::1"})


def _alone() -> None:
    """Refuses every other machine, so that a copy of the address that was missed reaches nobody."""
    resolve = socket.getaddrinfo

    def only_here(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in HERE:
            raise SystemExit(f"refused to speak to {host}: only this machine may be asked")
        return resolve(host, *rest, **more)

    socket.getaddrinfo = only_here


def _turned(base: str) -> Any:
    """The SDK's client class, with every copy of its address turned to the sandbox."""
    import gmicloud  # noqa: PLC0415  # only once nothing else can be reached

    for name, module in list(sys.modules.items()):
        for variable, value in list(vars(module).items()) if name.startswith("gmicloud") else ():
            if isinstance(value, str) and value.startswith(VENDOR):
                setattr(module, variable, value.replace(VENDOR, base))
    return gmicloud.Client


def main(base: str) -> int:
    """Walks the SDK reference's complete example; 0 where it ended in success."""
    _alone()
    os.environ["HOME"] = tempfile.mkdtemp()  # the SDK writes its refresh token there
    client = _turned(base.rstrip("/"))(email="ada@example.com", password="sandbox-password")
    from gmicloud._internal._models import SubmitRequestRequest  # noqa: PLC0415  # as above

    manager = client.video_manager
    print("organisation:", client.iam_client.get_organization_id())
    print("models:", len(manager.get_models()))
    detail = manager.get_model_detail(MODEL)
    print("parameters:", len(detail.parameters), "price:", detail.price_info)
    accepted = manager.create_request(SubmitRequestRequest(model=MODEL, payload=PAYLOAD))
    print("submitted:", accepted.request_id)
    word = ""
    while word not in {"success", "failed", "cancelled"}:
        time.sleep(1)
        seen = manager.get_request_detail(accepted.request_id)
        word = seen.status.value  # the page compares the member itself with a string, which is never equal
        print("status:", word, seen.outcome or "")
    print("listed:", [item.request_id for item in manager.get_requests(MODEL)])
    return 0 if word == "success" else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
