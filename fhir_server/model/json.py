"""JSON as the record keeps it: each digit as written, nothing that could be read in two ways.

Decimals are `decimal.Decimal` with the digits of the sender (`5.10` stays `5.10`), whole numbers
are `int`, and no float ever appears. Only where a number has an exponent, or six zeros after the
point, may its form change (`1.50e3` to `1.50E+3`, `0.0000001` to `1E-7`): the digits that count
stay. Refused with `Invalid`: what is not UTF-8 or not JSON, the
same key twice in one object, nesting deeper than `MAX_DEPTH`, numbers of absurd size, NaN and
infinities, lone surrogates, and control characters that a FHIR string may not hold. No text of an
error repeats content.

RFC 8259; https://hl7.org/fhir/R4/json.html; https://hl7.org/fhir/R4/datatypes.html#decimal
"""

import re
from collections.abc import Callable
from decimal import Decimal
from itertools import accumulate
from typing import Any, TypeVar

import msgspec

from fhir_server.errors import Invalid

Shape = msgspec.Struct
"""What a shape for `reader` is made of: its fields are the elements that are wanted."""
ShapeT = TypeVar("ShapeT", bound=Shape)

MAX_DEPTH = 64
"""Objects and arrays inside one another; real resources stay under 20."""
MAX_DIGITS = 40
"""Digits of a number; FHIR asks for 18 at least."""
MAX_EXPONENT = 40
"""Largest exponent, up or down."""

_LONGEST_SEARCHED = 1_000_000
"""Bytes up to which a repeated key is also told by its path."""
_WHOLE_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+', re.DOTALL)
_TOKEN = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")(\s*+:)?+|[{}\[\],]', re.DOTALL)
_HEX = rb"[0-9A-Fa-f]"
_GOOD_TO_THE_END = re.compile(
    rb"(?:[^\\]++|\\(?:[^ubf]"
    rb"|u(?:00(?:09|0[AaDd]|[2-9A-Fa-f]H)|0[1-9A-Fa-f]HH|[1-9A-CEFa-cef]HHH|[Dd][0-7]HH"
    rb"|[Dd][89ABab]HH\\u[Dd][C-Fc-f]HH)))*+".replace(b"H", _HEX),
    re.DOTALL,
)
"""As far as every escape stands for a character that a FHIR string may hold."""
_HALF_A_PAIR = re.compile(rb"\\u[Dd][89A-Fa-f]")
_CONTROL = re.compile(rb"\\(?:[bf]|u00[01])")
_NUMBER = re.compile(rb"[0-9]+")
_BYTE = re.compile(r"\(byte (\d+)\)")
_ELEMENT_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")

_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")
_DEPTH_STEP = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_DIGITS_ONLY = bytes(ord("0") if chr(byte) in "0123456789" else ord(" ") for byte in range(256))
_MANY_DIGITS = b"0" * 19
_LARGEST_CERTAIN = 10**18
_MARKS = bytes.maketrans(b"0123456789:,-s{[ENI", b"00000000000000{{EEE")
"""What `is_plain` looks for: escapes, digits, brackets, and the letters with which exponents, NaN
and Infinity begin behind what may stand before them."""
_TOO_MANY_DIGITS = b"0" * (MAX_DIGITS + 1)


def decode(content: bytes | str) -> Any:
    """Return the JSON value of *content*: dict, list, str, bool, int, Decimal or None.

    Raises `Invalid` for everything that the head of this file names; nothing is repaired.
    """
    raw = _utf8(content)
    _bound_depth(raw)
    _bound_digits(raw)
    _check_escapes(raw)
    try:
        tree = _DECODER.decode(raw)
    except msgspec.MsgspecError as error:
        raise _malformed(raw, str(error)) from None
    if _has_duplicates(raw, _ENCODER.encode(tree)):
        path = _path_of_duplicate(raw, tree) if len(raw) <= _LONGEST_SEARCHED else ""
        raise Invalid.of(
            "The same key stands twice in one JSON object.",
            path,
            "Send each element once; a repeating element is an array.",
            code="structure",
        )
    return tree


def reread(content: bytes) -> Any:
    """Return the JSON value of *content*, bytes that `encode` made: nothing is judged again.

    Raises `Invalid` where they are no JSON after all.
    """
    try:
        return _DECODER.decode(content)
    except msgspec.MsgspecError as error:
        raise _malformed(content, str(error)) from None


def reader(shape: type[ShapeT]) -> Callable[[bytes], ShapeT]:
    """Return what reads of bytes that `encode` made only the elements that *shape* has.

    What is read raises ValueError where the bytes are not of that shape.
    """
    return msgspec.json.Decoder(shape).decode


def ready(tree: Any) -> Any:
    """Return *tree* as a part that `encode` takes over as it is: encoded once, used often."""
    return msgspec.Raw(encode(tree))


def encode(tree: Any) -> bytes:
    """Return *tree* as compact UTF-8 JSON in the order of its keys, with all digits.

    Raises `Invalid` for half a surrogate pair, which UTF-8 can't hold.
    """
    try:
        return _ENCODER.encode(tree)
    except UnicodeEncodeError:
        raise Invalid.of("A text holds half a surrogate pair.", code="value") from None


def is_plain(raw: bytes) -> bool:
    """Tell whether *raw*, an object that `encode` made, surely decodes to the tree it was made of.

    False where there is any doubt: an escape, a number that is long or has an exponent or is none,
    a depth that would have to be counted.
    """
    marks = raw.translate(_MARKS)
    return (
        b"\\" not in marks
        and b"0E" not in marks
        and b"{E" not in marks
        and _MANY_DIGITS not in marks
        and marks.count(b"{") <= MAX_DEPTH
    )


def is_exact(tree: Any, depth: int = 0) -> bool:
    """Tell the same of a *tree* itself: slower than `is_plain`, but without a copy of its texts.

    For what holds a document. That the tree can be encoded, its caller has seen.
    """
    kind = type(tree)
    if kind is str:
        return bool(tree.isascii() and tree.isprintable())
    if kind is dict or kind is list:
        inner = [*tree.keys(), *tree.values()] if kind is dict else tree
        return depth < MAX_DEPTH and all(is_exact(one, depth + 1) for one in inner)
    return tree is None or kind is bool or (kind is int and abs(tree) < _LARGEST_CERTAIN)


def pretty(tree: Any) -> bytes:
    """Return *tree* as `encode` does, indented for a person to read."""
    return msgspec.json.format(encode(tree), indent=2)


def _utf8(content: bytes | str) -> bytes:
    try:
        if isinstance(content, str):
            return content.encode()
        content.decode()
    except (UnicodeEncodeError, UnicodeDecodeError) as error:
        raise Invalid.of(
            f"The text is not UTF-8 at position {error.start}.", code="structure"
        ) from None
    if content.startswith(b"\xef\xbb\xbf"):
        raise Invalid.of(
            "The JSON starts with a byte order mark; send it without.", code="structure"
        )
    return content


def _bound_depth(raw: bytes) -> None:
    brackets = raw.translate(None, _NOT_BRACKETS)
    if brackets.count(b"{") + brackets.count(b"[") <= MAX_DEPTH:
        return
    brackets = _WHOLE_STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_DEPTH_STEP.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise Invalid.of(
            f"The JSON nests deeper than {MAX_DEPTH} objects and arrays.", code="structure"
        )


def _bound_digits(raw: bytes) -> None:
    if _TOO_MANY_DIGITS not in raw.translate(_DIGITS_ONLY):
        return
    for number in _NUMBER.finditer(_WHOLE_STRING.sub(b'""', raw)):
        if len(number[0]) > MAX_DIGITS:
            raise _absurd_number()


def _check_escapes(raw: bytes) -> None:
    if b"\\" not in raw:
        return
    good = _GOOD_TO_THE_END.match(raw)
    place = good.end() if good else 0
    if _HALF_A_PAIR.match(raw, place):
        raise Invalid.of(f"The escape at byte {place} is half of a surrogate pair.", code="value")
    if _CONTROL.match(raw, place):
        raise Invalid.of(
            f"The escape at byte {place} is a control character.",
            diagnostics="A FHIR string holds none but tab, line feed and carriage return.",
            code="value",
        )


def _exact(digits: str) -> Decimal:
    number = Decimal(digits)
    _, coefficient, exponent = number.as_tuple()
    if (
        len(coefficient) <= MAX_DIGITS
        and isinstance(exponent, int)
        and abs(exponent) <= MAX_EXPONENT
    ):
        return number
    raise _absurd_number()


def _absurd_number() -> Invalid:
    return Invalid.of(
        f"A number has more than {MAX_DIGITS} digits, or an exponent beyond {MAX_EXPONENT}.",
        code="value",
    )


def _malformed(raw: bytes, complaint: str) -> Invalid:
    found = _BYTE.search(complaint)
    reason = _BYTE.sub("", complaint).removeprefix("JSON is malformed: ").strip()
    if found is None:
        return Invalid.of("The JSON is malformed.", diagnostics=reason, code="structure")
    before = raw[: int(found[1])]
    line = before.count(b"\n") + 1
    column = len(before) - before.rfind(b"\n")
    return Invalid.of(
        f"The JSON is malformed at line {line}, byte {column} of the line.",
        diagnostics=reason,
        code="structure",
    )


def _has_duplicates(raw: bytes, encoded: bytes) -> bool:
    """Tell whether pairs of *raw* are missing in *encoded*, what was made of its tree.

    Each pair has one colon outside of strings. Without Unicode escapes a string has as many colons
    before and after, so that equal counts of all colons do as well, and are counted sooner.
    """
    if b"\\u" not in raw and raw.count(b":") == encoded.count(b":"):
        return False
    return _WHOLE_STRING.sub(b"", raw).count(b":") != _WHOLE_STRING.sub(b"", encoded).count(b":")


def _path_of_duplicate(raw: bytes, tree: Any) -> str:
    """Return the path of the first key that stands twice in one object of *raw*, valid JSON."""
    root = tree.get("resourceType") if isinstance(tree, dict) else None
    frames: list[tuple[set[str], list[str | int]]] = []
    for token in _TOKEN.finditer(raw):
        mark = token[0][:1]
        if token[2] is not None:
            keys, step = frames[-1]
            step[0] = key = msgspec.json.decode(token[1], type=str)
            if key in keys:
                return _path(root, [step[0] for _, step in frames])
            keys.add(key)
        elif mark in b"{[":
            frames.append((set(), ["" if mark == b"{" else 0]))
        elif mark in b"}]":
            frames.pop()
        elif mark == b"," and isinstance(frames[-1][1][0], int):
            frames[-1][1][0] += 1
    return ""


def _path(root: object, steps: list[str | int]) -> str:
    path = root if isinstance(root, str) and _ELEMENT_NAME.fullmatch(root) else ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _ELEMENT_NAME.fullmatch(step):
            path += f".{step}"
        else:
            break
    return path.lstrip(".")


_DECODER = msgspec.json.Decoder(float_hook=_exact)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
