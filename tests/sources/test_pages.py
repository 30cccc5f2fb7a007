"""Lists in pages: all of them in order, none twice, and a list that never ends is noticed."""

from __future__ import annotations

import pytest

from keyaudit.sources.pulling.pages import MOST_EMPTY, READINGS, Page, reread, walk, whole
from keyaudit.sources.pulling.refusals import Kind, RefusedError


class Server:
    """Gives the page that a token stands for and notes what it was asked."""

    def __init__(self, pages: dict[str | None, Page[int]]) -> None:
        self.pages, self.asked = pages, []

    def __call__(self, token: str | None) -> Page[int]:
        self.asked.append(token)
        return self.pages[token]


def chain(*sizes: int) -> dict[str | None, Page[int]]:
    """Make pages of so many entries, each with the token of the next."""
    tokens = [None, *(f"t{number}" for number in range(1, len(sizes)))]
    return {
        token: Page(list(range(size)), token=tokens[number + 1] if number + 1 < len(sizes) else None)
        for number, (token, size) in enumerate(zip(tokens, sizes, strict=True))
    }


CHAINS = {
    "one page": (3,),
    "one empty page": (0,),
    "several": (2, 2, 1),
    "an empty one in between": (2, 0, 0, 1),
    "an empty one first": (0, 3),
    "an empty one last": (3, 0),
}


@pytest.mark.parametrize("which", CHAINS)
def test_every_page_is_given_once_and_in_order(which) -> None:
    server = Server(chain(*CHAINS[which]))
    assert [len(page.entries) for page in walk(server)] == list(CHAINS[which])
    assert server.asked == list(server.pages)


def test_a_whole_list_lacks_nothing_or_is_refused() -> None:
    server = Server(chain(2, 0, 1))
    assert whole(walk(server)) == [0, 1, 0]
    with pytest.raises(RefusedError) as refused:
        whole(iter([Page([1]), Page([2], unreadable=1)]))
    assert refused.value.refusal.kind is Kind.UNREADABLE


@pytest.mark.parametrize("last", [None, ""])
def test_no_token_and_an_empty_one_both_mean_the_end(last) -> None:
    assert len(list(walk(Server({None: Page([1], token=last)})))) == 1


LOOPS = {
    "to itself": {None: "a", "a": "a"},
    "of two": {None: "a", "a": "b", "b": "a"},
    "of two after a start": {None: "a", "a": "b", "b": "c", "c": "b"},
}


@pytest.mark.parametrize("which", LOOPS)
def test_a_token_that_comes_twice_ends_the_list_after_what_was_new(which) -> None:
    server = Server({token: Page([1], token=following) for token, following in LOOPS[which].items()})
    seen = []
    with pytest.raises(RefusedError) as caught:
        seen.extend(walk(server))
    assert caught.value.refusal.kind is Kind.REPEATED
    assert len(seen) == len(server.asked) == len(LOOPS[which]), "each page that there is, and no request more"


def test_nothing_is_asked_before_it_is_wanted() -> None:
    server = Server(chain(1, 1, 1))
    pages = walk(server)
    assert server.asked == []
    next(pages)
    assert server.asked == [None]


def test_a_refusal_comes_after_the_pages_that_came_before_it() -> None:
    def ask(token: str | None) -> Page[int]:
        if token is not None:
            raise RefusedError(Kind.EXPIRED)
        return Page([1, 2], token="next")

    pages = walk(ask)
    assert next(pages).entries == [1, 2]
    with pytest.raises(RefusedError):
        next(pages)


class Reader:
    """Makes sense of an answer only from the n-th reading on."""

    def __init__(self, sense_at: int, kind: Kind = Kind.UNREADABLE) -> None:
        self.sense_at, self.kind, self.read, self.asked = sense_at, kind, [], 0

    def ask(self) -> bytes:
        self.asked += 1
        return b"%d" % self.asked

    def __call__(self, answer: bytes) -> Page[int]:
        self.read.append(answer)
        if len(self.read) < self.sense_at:
            raise RefusedError(self.kind)
        return Page([1])


@pytest.mark.parametrize("sense_at", range(1, READINGS + 1))
def test_what_arrived_cut_short_is_asked_for_again(sense_at) -> None:
    reader = Reader(sense_at)
    assert reread(reader.ask, reader).entries == [1]
    assert reader.read == [b"%d" % number for number in range(1, sense_at + 1)], (
        "each reading is of a new answer"
    )


def test_but_not_for_ever() -> None:
    reader = Reader(READINGS + 1)
    with pytest.raises(RefusedError) as caught:
        reread(reader.ask, reader)
    assert caught.value.refusal.kind is Kind.UNREADABLE
    assert reader.asked == READINGS


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.UNREADABLE}))
def test_any_other_refusal_is_believed(kind) -> None:
    reader = Reader(2, kind)
    with pytest.raises(RefusedError):
        reread(reader.ask, reader)
    assert reader.asked == 1


def test_a_refusal_of_the_answer_itself_was_retried_where_it_was_asked_for() -> None:
    asked = []

    def ask() -> bytes:
        asked.append(1)
        raise RefusedError(Kind.UNREADABLE)

    with pytest.raises(RefusedError):
        reread(ask, Reader(1))
    assert len(asked) == 1


@pytest.mark.parametrize(("empty", "ends"), [(MOST_EMPTY - 1, True), (MOST_EMPTY, False)])
def test_a_list_of_empty_pages_ends(empty, ends) -> None:
    server = Server(chain(1, *[0] * empty, 1))
    pages = []
    try:
        pages += walk(server)
    except RefusedError as error:
        assert not ends
        assert error.refusal.reason == "1,000 pages in a row held nothing"
    else:
        assert ends
        assert len(pages) == empty + 2
