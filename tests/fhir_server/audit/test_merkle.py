"""The tree of RFC 9162: known answers, what must hold for every tree, and refused proofs."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.audit import merkle
from fhir_server.audit.merkle import Head, ProofRefused

# The eight entries, and the roots of the first one to eight of them, that the implementers of
# Certificate Transparency test with.
ENTRIES = [
    bytes.fromhex(digits)
    for digits in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]

leaf_lists = st.lists(st.binary(max_size=4).map(merkle.leaf_hash), max_size=40)


def root_of(leaves):
    return merkle.root(merkle.extend(Head(), leaves))


def recursive_root(leaves):
    """The definition of RFC 9162 section 2.1.1, as it stands there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = recursive_root(leaves[:split]), recursive_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_known_entries_have_the_known_roots(size):
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert merkle.root(Head()) == sha256(b"").digest()


@given(leaf_lists)
def test_the_peaks_give_the_root_that_the_definition_gives(leaves):
    assert root_of(leaves) == recursive_root(leaves)


@given(leaf_lists, st.integers(0, 40))
def test_it_does_not_matter_how_the_appending_is_divided(leaves, cut):
    in_two = merkle.extend(merkle.extend(Head(), leaves[:cut]), leaves[cut:])

    assert in_two == merkle.extend(Head(), leaves)
    assert (in_two.size, len(in_two.peaks)) == (len(leaves), len(leaves).bit_count())


@given(leaf_lists.filter(bool), st.data())
def test_each_leaf_is_shown_to_be_where_it_is_and_nowhere_else(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.integers(0, len(leaves) - 1))
    proof = merkle.inclusion_proof(index, leaves)

    merkle.verify_inclusion(index, len(leaves), leaves[index], proof, root_of(leaves))
    if leaves[other] != leaves[index]:
        with pytest.raises(ProofRefused):
            merkle.verify_inclusion(other, len(leaves), leaves[index], proof, root_of(leaves))
        with pytest.raises(ProofRefused):
            merkle.verify_inclusion(index, len(leaves), leaves[other], proof, root_of(leaves))


@given(leaf_lists.filter(bool), st.data())
def test_each_earlier_tree_is_shown_to_be_a_prefix(leaves, data):
    size = data.draw(st.integers(1, len(leaves)))
    proof = merkle.consistency_proof(size, leaves)
    roots = root_of(leaves[:size]), root_of(leaves)

    merkle.verify_consistency(size, len(leaves), proof, *roots)
    changed = [merkle.leaf_hash(b"changed"), *leaves[1:]]
    with pytest.raises(ProofRefused):
        merkle.verify_consistency(size, len(leaves), proof, root_of(changed[:size]), roots[1])
    with pytest.raises(ProofRefused):
        merkle.verify_consistency(size, len(leaves), proof, roots[0], root_of(changed))


@pytest.mark.parametrize("size", range(1, 9))
def test_an_inclusion_proof_with_a_node_more_or_less_is_refused(size):
    for index in range(size):
        proof = merkle.inclusion_proof(index, LEAVES[:size])
        wrong = [[*proof, LEAVES[0]], [LEAVES[0], *proof], *([proof[:-1]] if proof else [])]
        for other in wrong:
            with pytest.raises(ProofRefused):
                merkle.verify_inclusion(index, size, LEAVES[index], other, root_of(LEAVES[:size]))


@pytest.mark.parametrize("size", range(1, 9))
def test_a_consistency_proof_with_a_node_more_or_less_is_refused(size):
    proof = merkle.consistency_proof(size, LEAVES)
    roots = root_of(LEAVES[:size]), root_of(LEAVES)
    for other in [[*proof, LEAVES[0]], [LEAVES[0], *proof], *([proof[:-1]] if proof else [])]:
        with pytest.raises(ProofRefused):
            merkle.verify_consistency(size, 8, other, *roots)


@pytest.mark.parametrize(("index", "size"), [(8, 8), (-1, 8), (0, 0), (9, 8)])
def test_a_leaf_outside_its_tree_is_refused(index, size):
    with pytest.raises(ProofRefused, match="no such leaf"):
        merkle.verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])


@pytest.mark.parametrize(("size1", "size2"), [(0, 8), (9, 8), (-1, 8)])
def test_a_tree_that_is_no_earlier_one_is_refused(size1, size2):
    with pytest.raises(ProofRefused, match="a tree and a later one"):
        merkle.verify_consistency(size1, size2, [], LEAVES[0], LEAVES[0])


def test_hashes_of_another_length_are_refused():
    with pytest.raises(ProofRefused, match="32 bytes"):
        merkle.verify_inclusion(0, 2, LEAVES[0], [LEAVES[1][:31]], root_of(LEAVES[:2]))
    with pytest.raises(ProofRefused, match="32 bytes"):
        merkle.verify_consistency(1, 2, [LEAVES[1] + b"0"], LEAVES[0], root_of(LEAVES[:2]))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 2), (-1, 2)])
def test_there_is_no_proof_for_what_is_not_there(index, size):
    with pytest.raises(ProofRefused, match="no such leaf"):
        merkle.inclusion_proof(index, LEAVES[:size])


@pytest.mark.parametrize("size", [0, 9])
def test_there_is_no_proof_for_a_tree_that_never_was(size):
    with pytest.raises(ProofRefused, match="no such tree"):
        merkle.consistency_proof(size, LEAVES)


@pytest.mark.parametrize(
    ("size", "peaks"), [(1, ()), (2, (bytes(32), bytes(32))), (1, (bytes(31),)), (-1, ())]
)
def test_a_head_that_can_be_no_tree_is_not_built(size, peaks):
    with pytest.raises(ValueError, match="peak"):
        Head(size, peaks)
