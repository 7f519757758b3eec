from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wordrow.types import Ragged
from wordrow.vectors import join_phrases


def joined_slowly(texts, min_count, threshold):
    """The same, word by word: Mikolov et al. 2013, equation 6, times the number of tokens."""
    counts = Counter(word for text in texts for word in text)
    pairs = Counter(pair for text in texts for pair in pairwise(text))
    n = sum(counts.values())
    good = {
        (a, b)
        for (a, b), times in pairs.items()
        if times >= min_count and (times - min_count) * n / (counts[a] * counts[b]) > threshold
    }
    out = []
    for text in texts:
        line, i = [], 0
        while i < len(text):
            if tuple(text[i : i + 2]) in good:
                line.append("_".join(text[i : i + 2]))
                i += 2
            else:
                line.append(text[i])
                i += 1
        out.append(line)
    return out


texts = st.lists(st.lists(st.sampled_from("abcde"), max_size=12), max_size=8)


@given(texts, st.integers(1, 3), st.sampled_from([0.5, 1.0, 2.0]))
def test_as_word_by_word(given_texts, min_count, threshold):
    words = sorted({word for text in given_texts for word in text})
    ids = Ragged.from_lists([[words.index(word) + 1 for word in text] for text in given_texts])
    found, names = join_phrases(ids, words, min_count=min_count, threshold=threshold)
    spelled = [[names[i - 1] for i in text] for text in found.to_lists()]
    assert spelled == joined_slowly(given_texts, min_count, threshold)
    times = Counter(word for text in spelled for word in text)
    assert [times[name] for name in names] == sorted(times.values(), reverse=True)
    assert len(set(names)) == len(names)
