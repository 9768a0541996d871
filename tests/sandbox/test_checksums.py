from hypothesis import given, settings
from hypothesis import strategies as st

from gmi_video.sandbox.checksums import crc32c


def plain(told: bytes) -> int:
    """CRC-32C bit by bit, as the polynomial is written down."""
    register = 0xFFFFFFFF
    for byte in told:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def test_the_checksums_of_the_standard_come_out() -> None:
    """The examples of RFC 3720, appendix B.4, and the usual check value."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"") == 0


@settings(max_examples=30)
@given(st.integers(0, 13_000), st.randoms(use_true_random=False))
def test_lanes_make_no_difference(size: int, rng: object) -> None:
    """Whatever the length, the fast way gives what the plain way gives, on a view as on bytes."""
    told = rng.randbytes(size)  # type: ignore[attr-defined]  # hypothesis gives a Random

    assert crc32c(told) == crc32c(memoryview(told)) == plain(told)
