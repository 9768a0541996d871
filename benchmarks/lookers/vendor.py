"""gmicloud, the vendor's SDK: `get_request_detail` (requests), without its sign-in, in threads."""

import sys
from collections.abc import Callable

from gmicloud._internal._client._video_client import VideoClient

from benchmarks.lookers.course import serve, threads


class _SignedIn:
    """Stands for the sign-in, which is none of a look's cost."""

    def get_custom_headers(self) -> dict[str, str]:
        """The header of a signed-in user."""
        return {"Authorization": "Bearer benchmark"}


def main() -> None:
    """It makes a connection for each call, whoever calls."""

    def made() -> Callable[[], object]:
        client = VideoClient(_SignedIn())
        client.client.base_url = sys.argv[1]
        assert client.get_request_detail("r").request_id == "r"
        return lambda: client.get_request_detail("r")

    serve(threads(made))


main()
