"""Signatures: bad ones are found wherever they stand, good ones are not checked twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chain.ledger import signatures
from chain.ledger.signatures import SignatureChecker
from chain.primitives.keys import verify
from runtime.validation import SignatureCheck
from tests.support.ledger_chain import ALICE


def signed(number: int) -> SignatureCheck:
    message = b"message %d" % number
    return SignatureCheck(ALICE.address, message, ALICE.sign(message))


def forged(number: int) -> SignatureCheck:
    return SignatureCheck(ALICE.address, b"another", signed(number).signature)


def test_first_bad_one_is_named() -> None:
    with ThreadPoolExecutor(2) as threads:
        checker = SignatureChecker(threads)
        checks = [signed(number) for number in range(100)]
        assert checker.first_bad([None, *checks]) is None
        checks[50], checks[90] = forged(50), forged(90)
        assert checker.first_bad([None, *checks]) == 51
    assert SignatureChecker().first_bad([None, *checks]) == 51
    assert SignatureChecker().first_bad([]) is None


def test_good_ones_are_checked_once_until_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bytes] = []

    def counting(address: bytes, message: bytes, signature: bytes) -> bool:
        checked.append(message)
        return verify(address, message, signature)

    monkeypatch.setattr(signatures, "verify", counting)
    checker = SignatureChecker(remembered_max=4)
    assert checker.is_good(signed(0))
    assert checker.is_good(signed(0))
    assert checker.first_bad([signed(0), signed(1)]) is None
    assert not checker.is_good(forged(0))
    assert not checker.is_good(forged(0))
    assert checked == [b"message 0", b"message 1", b"another", b"another"]
    for number in range(2, 9):
        checker.is_good(signed(number))
    checked.clear()
    checker.is_good(signed(0))
    assert checked == [b"message 0"]
