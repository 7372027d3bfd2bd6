"""Base58 in Bitcoin's alphabet, the text form of proof values and keys (Controlled Identifiers 1.0, section 2.4)."""

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {letter: value for value, letter in enumerate(_ALPHABET)}
# Two digits a look-up: half of the divisions.
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
# Ten digits a step leave numbers of a machine word, halves of it such as Python divides fastest.
_TEN_DIGITS = 58**10
_FIVE_DIGITS = 58**5
_THREE_DIGITS = 58**3
_TWO_DIGITS = 58**2


def encode(content: bytes) -> str:
    """`content` as base58; a leading zero byte is a leading `1`."""
    zeros = len(content) - len(content.lstrip(b"\0"))
    number = int.from_bytes(content)
    texts: list[str] = []
    while number:
        number, ten = divmod(number, _TEN_DIGITS)
        high, low = divmod(ten, _FIVE_DIGITS)
        texts.append(
            f"{_PAIRS[high // _THREE_DIGITS]}{_PAIRS[high // 58 % _TWO_DIGITS]}{_ALPHABET[high % 58]}"
            f"{_PAIRS[low // _THREE_DIGITS]}{_PAIRS[low // 58 % _TWO_DIGITS]}{_ALPHABET[low % 58]}"
        )
    texts.reverse()
    return "1" * zeros + "".join(texts).lstrip("1")


def decode(text: str) -> bytes:
    """The bytes of base58 `text`. Raises `ValueError` on a character outside the alphabet."""
    number = 0
    for letter in text:
        digit = _DIGITS.get(letter)
        if digit is None:
            raise ValueError(f"base58: expected a letter of its alphabet, found {letter!r}")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)
