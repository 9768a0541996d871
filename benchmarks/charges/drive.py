"""Runs in a peer's own interpreter: makes so many submissions at the peer's default settings, and tells the ids.

It knows nothing of this project: only the standard library and the peer are there. Each wish is submitted once,
by the verb that the peer's own pages show; what the peer raises is counted by its class, and nothing is repeated
here. `python drive.py PEER URL COUNT THREADS` prints `{"told": {id: number}, "errors": {class: count}}`.
"""

# ruff: noqa: PLC0415  # each peer is to be had in its own interpreter only

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Submit = Callable[[str], Any]
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def fal_client(url: str) -> Submit:
    """The hosts are https by a constant, which is turned to the loopback."""
    from fal_client import client

    client.QUEUE_URL_FORMAT = f"{url}/"
    ours = client.SyncClient(key="a-key")
    return lambda prompt: ours.submit("fal-ai/veo3", {"prompt": prompt}).request_id


def runwayml(url: str) -> Submit:
    """The client of the vendor's reference."""
    from runwayml import RunwayML

    verb = RunwayML(api_key="a-key", base_url=url).text_to_video.create
    return lambda prompt: verb(model="veo3.1", prompt_text=prompt, ratio="1280:720", duration=4).id


def lumaai(url: str) -> Submit:
    """The client of the vendor's reference."""
    from lumaai import LumaAI

    verb = LumaAI(auth_token="a-key", base_url=url).generations.create
    return lambda prompt: verb(prompt=prompt, model="ray-2").id


def replicate(url: str) -> Submit:
    """Predictions by a version, as the vendor shows for work in the background."""
    from replicate import Client

    verb = Client(api_token="a-key", base_url=url).predictions.create
    return lambda prompt: verb(version="1", input={"prompt": prompt}).id


def wavespeed(url: str) -> Submit:
    """`run` is the one public verb; it gives the outputs, whose link names the job."""
    from wavespeed import Client

    ours = Client(api_key="a-key", base_url=url)

    def submit(prompt: str) -> str:
        (link,) = ours.run("google/veo3", {"prompt": prompt})["outputs"]
        return str(link).rpartition("/")[2].removesuffix(".mp4")

    return submit


def gmicloud(url: str) -> Submit:
    """The vendor's SDK: its base URL is a constant of the modules that use it. A dict is its way to fail."""
    from gmicloud import Client
    from gmicloud._internal._client import _iam_client, _video_client
    from gmicloud._internal._models import SubmitRequestRequest

    _iam_client.IAM_SERVICE_BASE_URL = _video_client.IAM_SERVICE_BASE_URL = url
    videos = Client(email="a@example.com", password="a-word").video_manager

    def submit(prompt: str) -> str:
        answer = videos.create_request(SubmitRequestRequest(model="Veo3", payload={"prompt": prompt}))
        if answer is None or isinstance(answer, dict):
            raise RuntimeError("no id")
        return str(answer.request_id)

    return submit


def genblaze_gmicloud(url: str) -> Submit:
    """`submit` of its provider: `invoke` calls it and sleeps 24 s before it looks, and adds no retry by default."""
    from genblaze_core.models.enums import Modality
    from genblaze_core.models.step import Step
    from genblaze_gmicloud import GMICloudVideoProvider

    provider = GMICloudVideoProvider(api_key="a-key", base_url=f"{url}/apikey")

    def submit(prompt: str) -> str:
        step = Step(provider="gmicloud", model="Veo3", prompt=prompt, modality=Modality.VIDEO)
        return str(provider.submit(step).prediction_id)

    return submit


def main() -> None:
    """Submits from threads: all these clients wait."""
    name, url, count, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    submit: Submit = globals()[name.replace("-", "_")](url)
    told: dict[str, int] = {}
    errors: Counter[str] = Counter()

    def one(number: int) -> None:
        try:
            told[submit(f"wish-{number} of a fox in snow")] = number
        except Exception as error:  # noqa: BLE001  # whatever a peer raises is its answer
            errors[type(error).__name__] += 1
            told.update(dict.fromkeys(_ID.findall(str(error)), number))  # an id in the words is an id told

    said = os.dup(1)
    os.dup2(2, 1)  # what a peer prints is not the result
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(count)))
    os.write(said, json.dumps({"told": told, "errors": errors}).encode())


if __name__ == "__main__":
    main()
