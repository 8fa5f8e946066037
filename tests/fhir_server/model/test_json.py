"""The JSON codec: digits, duplicates, depth, and what no resource may hold."""

import json as standard
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fhir_server.errors import Invalid
from fhir_server.model import json


def refusal_of(content: bytes | str) -> Invalid:
    with pytest.raises(Invalid) as caught:
        json.decode(content)
    return caught.value


@pytest.mark.parametrize(
    "digits", ["5.10", "0.00", "-0.0", "100", "7", "1234567890.12345678901234567890", "-1.50"]
)
def test_a_result_keeps_the_digits_the_laboratory_wrote(digits: str) -> None:
    assert json.encode(json.decode(f'{{"value":{digits}}}')) == f'{{"value":{digits}}}'.encode()


def test_an_exponent_keeps_its_digits_and_its_size() -> None:
    assert json.decode("1.50e3") == Decimal("1.50E+3")
    assert json.encode(json.decode("1.50e3")) == b"1.50E+3"


@given(st.from_regex(r"\A-?(0|[1-9][0-9]{0,18})\.([0-9]{1,6}|0{0,5}[1-9][0-9]{0,12})\Z"))
def test_every_decimal_comes_back_as_it_was_written(digits: str) -> None:
    assert json.encode(json.decode(digits)) == digits.encode()


@given(st.from_regex(r"\A-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE][+-]?[0-9])?\Z"))
def test_the_digits_that_count_are_kept_even_where_the_form_changes(digits: str) -> None:
    again = Decimal(json.decode(json.encode(json.decode(digits))))
    assert again == Decimal(digits)
    assert again.as_tuple().exponent == Decimal(digits).as_tuple().exponent


def test_whole_numbers_stay_whole_and_no_float_appears() -> None:
    tree = json.decode('[1, 1.0, 1e2, true, null, "1.0"]')
    assert [type(value) for value in tree] == [int, Decimal, Decimal, bool, type(None), str]


CONTROLS = "".join(map(chr, range(32)))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=CONTROLS))
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)


@given(trees)
def test_what_is_encoded_is_decoded_the_same(tree: Any) -> None:
    assert json.decode(json.encode(tree)) == tree


@given(trees)
def test_escapes_and_white_space_change_nothing(tree: Any) -> None:
    assert json.decode(standard.dumps(tree, ensure_ascii=True, indent=1)) == tree


json_like = st.text(st.sampled_from('{}[]:,"\\ \n0189.eE+-tfnaub\x00\ud800é'), max_size=40)


@given(json_like)
@example('{"a":1,"\\u0061":1}')
@example('{"a":":","b":"\\u003a","a":1}')
def test_whatever_comes_is_read_or_refused_and_never_read_in_two_ways(text: str) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError
        return dict(pairs)

    def no_constant(_: str) -> None:
        raise ValueError

    try:
        tree = json.decode(text)
    except Invalid:
        return
    assert tree == standard.loads(
        text, object_pairs_hook=once, parse_constant=no_constant, parse_float=Decimal
    )


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        value: Any = json.decode(content)
    except Invalid as refusal:
        value = list(refusal.issues)
    assert not isinstance(value, float)


def test_case_104_nesting_of_2000_is_refused_before_it_is_parsed() -> None:
    refusal = refusal_of("[" * 2000 + "]" * 2000)
    assert refusal.issues[0].text == "The JSON nests deeper than 64 objects and arrays."
    refusal_of('{"a":' * 200_000)


def test_nesting_is_allowed_up_to_its_limit_and_brackets_in_strings_do_not_count() -> None:
    assert json.decode("[" * 64 + "]" * 64) is not None
    refusal_of("[" * 65 + "]" * 65)
    assert json.decode('"' + "[{" * 500 + '"') == "[{" * 500
    assert json.decode('["\\"' + "[" * 100 + '",' + "[]," * 100 + "0]")[0] == '"' + "[" * 100


def test_case_105_a_second_subject_is_refused_with_its_path() -> None:
    refusal = refusal_of(
        '{"resourceType":"Observation","subject":{"reference":"Patient/a"},'
        '"subject":{"reference":"Patient/b"}}'
    )
    assert [(issue.code, issue.expression) for issue in refusal.issues] == [
        ("structure", "Observation.subject")
    ]


@pytest.mark.parametrize(
    ("content", "expression"),
    [
        ('{"a":[{"b":1},{"b":1,"b":2}]}', "a[1].b"),
        (
            '{"resourceType":"Patient","name":[{"text":"x","te\\u0078t":"y"}]}',
            "Patient.name[0].text",
        ),
        ('{"a":"::::","a" : 1}', "a"),
        ('{"not an element":{"x":1,"x":1}}', ""),
        ('{"a":{"b":"\\u003a"},"a":{"b":":"}}', "a"),
    ],
)
def test_a_repeated_key_is_found_however_it_is_written(content: str, expression: str) -> None:
    assert refusal_of(content).issues[0].expression == expression


def test_the_same_key_in_two_objects_is_no_repetition() -> None:
    assert json.decode('[{"a":"\\u003a"},{"a":{"a":1}}]') == [{"a": ":"}, {"a": {"a": 1}}]


@pytest.mark.parametrize(
    ("content", "code", "text"),
    [
        ("NaN", "structure", "The JSON is malformed at line 1, byte 1 of the line."),
        ('{"a":\n Infinity}', "structure", "The JSON is malformed at line 2, byte 2 of the line."),
        ("-Infinity", "structure", "The JSON is malformed at line 1, byte 2 of the line."),
        ("9" * 5000, "value", "A number has more than 40 digits, or an exponent beyond 40."),
        ("0." + "1" * 41, "value", "A number has more than 40 digits, or an exponent beyond 40."),
        ("1e41", "value", "A number has more than 40 digits, or an exponent beyond 40."),
        ("1e-999999999", "value", "A number has more than 40 digits, or an exponent beyond 40."),
        ('"\\ud800"', "value", "The escape at byte 1 is half of a surrogate pair."),
        ('"\\udc00"', "value", "The escape at byte 1 is half of a surrogate pair."),
        ('"\\ud800\\ud800"', "value", "The escape at byte 1 is half of a surrogate pair."),
        ('"\ud800"', "structure", "The text is not UTF-8 at position 1."),
        (b'"\xed\xa0\x80"', "structure", "The text is not UTF-8 at position 1."),
        (b'"\xff"', "structure", "The text is not UTF-8 at position 1."),
        ('"\\u0000"', "value", "The escape at byte 1 is a control character."),
        ('"\\b"', "value", "The escape at byte 1 is a control character."),
        ('"\\u001F"', "value", "The escape at byte 1 is a control character."),
        ('"a\x00"', "structure", "The JSON is malformed at line 1, byte 3 of the line."),
        (
            b"\xef\xbb\xbf{}",
            "structure",
            "The JSON starts with a byte order mark; send it without.",
        ),
        ("", "structure", "The JSON is malformed."),
        ("[1,]", "structure", "The JSON is malformed at line 1, byte 4 of the line."),
        ("01", "structure", "The JSON is malformed at line 1, byte 2 of the line."),
    ],
)
def test_case_106_what_is_not_exact_json_is_refused(
    content: bytes | str, code: str, text: str
) -> None:
    refusal = refusal_of(content)
    assert [(issue.code, issue.text) for issue in refusal.issues] == [(code, text)]


def test_what_only_looks_like_a_bad_escape_is_kept() -> None:
    assert json.decode('"\\\\u0000 \\\\b \\\\ud800"') == "\\u0000 \\b \\ud800"
    assert json.decode('"\\ud83d\\ude00\\n\\r\\t"') == "\U0001f600\n\r\t"
    assert json.decode('"' + "9" * 60 + '"') == "9" * 60


def test_case_106_a_string_of_ten_megabytes_is_read() -> None:
    text = "QUJD" * 2_500_000
    assert json.decode(f'{{"data":"{text}"}}') == {"data": text}


def test_quotes_that_never_end_are_refused_in_one_pass() -> None:
    refusal_of('{"a":"' + '\\"' * 1_000_000)


def test_no_refusal_repeats_what_was_sent() -> None:
    for content in ('{"SECRET":"\\u0000"}', '{"SECRET 1":1,"SECRET 1":2}', '["SECRET",}', "SECRET"):
        issue = refusal_of(content).issues[0]
        assert "SECRET" not in f"{issue.text}{issue.expression}{issue.diagnostics}"


def test_a_tree_with_half_a_surrogate_is_not_encoded() -> None:
    with pytest.raises(Invalid):
        json.encode({"text": "\ud800"})


_ANY_NUMBER = st.one_of(
    st.integers(),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from(("1E+41", "-1E-41", "sNaN", "-Infinity", "9" * 41)).map(Decimal),
)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5) | _ANY_NUMBER,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
    )
)
@example({"value": Decimal("NaN")})
@example({"value": Decimal("-Infinity")})
@example({"value": Decimal("1E+41")})
@example({"value": Decimal("1." + "1" * 40)})
@example({"text": "\b"})
def test_what_is_plain_decodes_to_the_tree_that_it_was_made_of(tree: Any) -> None:
    raw = json.encode({"of": tree})
    if json.is_plain(raw) or json.is_exact({"of": tree}):
        assert json.decode(raw) == {"of": tree}


def test_what_a_laboratory_usually_sends_is_plain() -> None:
    assert json.is_plain(b'{"status":"final","valueQuantity":{"value":5.10,"unit":"ug/L"}}')
    assert not json.is_plain(json.encode({"value": Decimal("NaN")}))


def test_a_large_document_is_exact_without_being_decoded() -> None:
    assert json.is_exact({"data": "0ENI" * 20_000, "size": 60_000, "inner": [{"is": True}]})
    for doubtful in ("a\x01b", "\x7f", 5.0, Decimal(5), 10**18):
        assert not json.is_exact({"value": [doubtful]})
