import pytest

from gmi_video.sandbox.account import Account


def test_credit_is_checked_per_price() -> None:
    """A dear model is refused while a cheap one still passes."""
    account = Account(1000)

    assert not account.affords(1001, 0.0)
    assert account.affords(1000, 0.0)


def test_a_price_is_held_and_comes_back_when_the_request_fails() -> None:
    """Held credit is gone until the moment of the failure, and there from then on."""
    account = Account(1000)
    account.hold(600, refund_at=50.0)
    account.hold(300, refund_at=None)

    assert (account.credit(49.9), account.credit(50.0), account.credit(1e9)) == (100, 700, 700)


def test_without_a_balance_credit_never_ends() -> None:
    """An account without a balance affords anything."""
    account = Account()
    account.hold(10**12, refund_at=1.0)

    assert account.credit(2.0) is None
    assert account.affords(10**12, 2.0)


def test_the_window_slides() -> None:
    """Two a minute: a third must wait until the first is a minute old, and waiting costs no place."""
    account = Account()
    waits = [account.wait_for("m", 2, 60.0, now) for now in (0.0, 10.0, 30.0, 59.0, 60.0, 61.0, 70.0)]

    assert waits == [0, 0, pytest.approx(30), pytest.approx(1), 0, pytest.approx(9), 0]


def test_each_model_has_its_own_window() -> None:
    """A full window of one model leaves the others alone."""
    account = Account()
    account.wait_for("m", 1, 60.0, 0.0)

    assert account.wait_for("m", 1, 60.0, 0.0) == 60
    assert account.wait_for("n", 1, 60.0, 0.0) == 0
