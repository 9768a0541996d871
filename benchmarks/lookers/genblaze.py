"""genblaze-gmicloud: `poll` of its provider (httpx), a provider for each thread."""

import sys
from collections.abc import Callable

from genblaze_gmicloud import GMICloudVideoProvider

from benchmarks.lookers.course import serve, threads


def main() -> None:
    """A provider has one connection pool, which many threads break."""

    def made() -> Callable[[], object]:
        provider = GMICloudVideoProvider(api_key="benchmark", base_url=sys.argv[1])
        assert provider.poll("r") is False
        return lambda: provider.poll("r")

    serve(threads(made))


main()
