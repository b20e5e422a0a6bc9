"""Validation: reasons have Substrate's numbers, words and advice."""

from runtime.validation import InvalidTransaction, tag


def test_reasons_have_substrates_numbers_and_say_what_to_do() -> None:
    reasons = {kind.__name__: kind.code for kind in InvalidTransaction.__subclasses__()}

    assert reasons == {
        "CallUnknown": 0,
        "CannotPay": 1,
        "FromFuture": 2,
        "Stale": 3,
        "BadProof": 4,
        "AncientBirthBlock": 5,
        "ExhaustsResources": 6,
        "BadMandatory": 8,
        "TooLarge": 6,
        "NotInherent": 12,
    }
    assert all(kind.__doc__ for kind in InvalidTransaction.__subclasses__())


def test_tags_are_account_and_nonce() -> None:
    assert tag(bytes([1]) * 32, 258) == bytes([1]) * 32 + bytes([2, 1, 0, 0])
