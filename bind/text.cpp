#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <shared_mutex>

#include "arrays.h"
#include "texts.h"
#include "vocabulary.h"

namespace wordrow {
namespace {

// split: a str, or None for white space.
Normalizer make_normalizer(bool lower, std::vector<CodePoint> filters, nb::object split,
                           bool characters) {
  Rules rules;
  rules.lower = lower;
  rules.filters = std::move(filters);
  if (characters) {
    rules.mode = Mode::kCharacters;
  } else if (split.is_none()) {
    rules.mode = Mode::kWhitespace;
  } else {
    rules.split = to_utf8(split);
    require(!rules.split.empty(), "empty separator");
  }
  return Normalizer(std::move(rules));
}

nb::list words(const Normalizer& normalizer, nb::str text) {
  WordBuffer buffer;
  normalizer.split_text(view_of(text), buffer);
  nb::list result;
  for (std::size_t i = 0; i < buffer.n_words(); ++i)
    result.append(to_str({buffer.word(i), buffer.length(i)}));
  return result;
}

// Runs work on the documents of `source` without the GIL.
template <class Work>
auto with_documents(nb::handle source, nb::object callback, Work work) {
  const Texts texts(source);
  PythonWatch watch(std::move(callback));
  const Watch ask = [&] { return watch.ask(); };
  try {
    nb::gil_scoped_release release;
    return work(texts.documents, ask);
  } catch (const InvalidDocument& error) {
    raise_bad_row(static_cast<std::ptrdiff_t>(error.document), "utf-8",
                  std::to_string(error.byte));
  } catch (const Stopped&) {
    watch.rethrow();
    throw;
  }
}

// A vocabulary that many threads may read, and one may change. Nobody waits:
// a callback could otherwise wait for its own caller.
struct SharedVocabulary {
  SharedVocabulary(int ngrams, std::uint32_t buckets)
      : words((require_sizes(ngrams, buckets), ngrams), buckets) {}
  static void require_sizes(int ngrams, std::uint32_t buckets) {
    require(ngrams >= 1 && ngrams <= 8, "ngrams must be from 1 to 8");
    require(buckets < std::uint32_t{1} << 31, "buckets must be below 2^31");
  }
  template <class Lock>
  Lock lock() const {
    Lock held(mutex, std::try_to_lock);
    if (!held)
      throw std::runtime_error(
          "this tokenizer is being fitted in another thread; wait for that, or use one tokenizer "
          "a thread");
    return held;
  }
  Vocabulary words;
  mutable std::shared_mutex mutex;
};
using Reading = std::shared_lock<std::shared_mutex>;
using Changing = std::unique_lock<std::shared_mutex>;

// Returns the number of documents.
std::size_t count(SharedVocabulary& vocabulary, nb::handle texts, const Normalizer& normalizer,
                  nb::object watch) {
  return with_documents(texts, std::move(watch), [&](const Documents& documents, const Watch& ask) {
    const auto held = vocabulary.lock<Changing>();
    vocabulary.words.count(documents, normalizer, ask);
    return documents.size();
  });
}

nb::tuple encode(const SharedVocabulary& vocabulary, nb::handle texts, const Normalizer& normalizer,
                 std::int32_t limit, std::int32_t unknown_id, nb::object watch) {
  Encoded encoded =
      with_documents(texts, std::move(watch), [&](const Documents& documents, const Watch& ask) {
        const auto held = vocabulary.lock<Reading>();
        return vocabulary.words.encode(documents, normalizer, limit, unknown_id, ask);
      });
  return nb::make_tuple(to_numpy(std::move(encoded.ids)), to_numpy(std::move(encoded.offsets)));
}

// (id, first word, number of words) of each id of one text.
nb::list named_ids(const SharedVocabulary& vocabulary, nb::handle text,
                   const Normalizer& normalizer, std::int32_t limit, std::int32_t unknown_id) {
  const auto found =
      with_documents(text, nb::none(), [&](const Documents& documents, const Watch&) {
        require(documents.size() == 1, "one text");
        const auto held = vocabulary.lock<Reading>();
        return vocabulary.words.named_ids(documents, 0, normalizer, limit, unknown_id);
      });
  nb::list result;
  for (const NamedId& one : found)
    result.append(nb::make_tuple(one.id, one.first_word, one.n_words));
  return result;
}

// (texts, occurrences, documents, ids) of all words and of the n-grams that have an id; the others
// are too many to list.
nb::tuple entries(const SharedVocabulary& shared, nb::str joiner) {
  const auto held = shared.lock<Reading>();
  const Vocabulary& vocabulary = shared.words;
  const std::string between = to_utf8(joiner);
  nb::list texts;
  std::vector<std::int64_t> occurrences, documents;
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    if (i >= vocabulary.n_words() && vocabulary.id_of(i) == 0) continue;
    texts.append(to_str(vocabulary.text(i, between)));
    occurrences.push_back(static_cast<std::int64_t>(vocabulary.count_of(i).occurrences));
    documents.push_back(static_cast<std::int64_t>(vocabulary.count_of(i).documents));
    ids.push_back(vocabulary.id_of(i));
  }
  return nb::make_tuple(texts, to_numpy(std::move(occurrences)), to_numpy(std::move(documents)),
                        to_numpy(std::move(ids)));
}

void add_entries(SharedVocabulary& vocabulary, nb::sequence texts, nb::str joiner,
                 In<std::int64_t, 1> occurrences, In<std::int64_t, 1> documents,
                 In<std::int32_t, 1> ids) {
  const std::string between = to_utf8(joiner);
  const std::size_t n = nb::len(texts);
  require(occurrences.shape(0) == n && documents.shape(0) == n && ids.shape(0) == n,
          "texts, occurrences, documents and ids must be of one length");
  const auto held = vocabulary.lock<Changing>();
  std::size_t i = 0;
  for (const nb::handle text : texts) {
    if (i == n) break;
    Count count;
    count.occurrences = static_cast<std::uint64_t>(occurrences.data()[i]);
    require(documents.data()[i] >= 0 && documents.data()[i] <= 0xFFFFFFFF,
            "documents must be from 0 to 2^32 - 1");
    count.documents = static_cast<std::uint32_t>(documents.data()[i]);
    vocabulary.words.add(to_utf8(text), between, count, ids.data()[i]);
    ++i;
  }
  vocabulary.words.end_adding();
}

}  // namespace

void define_text(nb::module_& module) {
  nb::class_<Normalizer>(module, "Normalizer")
      .def("__init__",
           [](Normalizer* self, bool lower, std::vector<CodePoint> filters, nb::object split,
              bool characters) {
             new (self) Normalizer(make_normalizer(lower, std::move(filters), split, characters));
           },
           nb::kw_only(), nb::arg("lower"), nb::arg("filters"), nb::arg("split").none(),
           nb::arg("characters"))
      .def("words", &words, nb::arg("text"));
  nb::class_<SharedVocabulary>(module, "Vocabulary")
      .def(nb::init<int, std::uint32_t>(), nb::arg("ngrams"), nb::arg("buckets") = 0)
      .def("count", &count, nb::arg("texts"), nb::arg("normalizer"),
           nb::arg("watch").none() = nb::none())
      .def("rank",
           [](SharedVocabulary& self, std::uint64_t min_count, std::int32_t first_id) {
             const auto held = self.lock<Changing>();
             return self.words.rank(min_count, first_id);
           },
           nb::kw_only(), nb::arg("min_count"), nb::arg("first_id"))
      .def("encode", &encode, nb::arg("texts"), nb::arg("normalizer"), nb::kw_only(),
           nb::arg("limit"), nb::arg("unknown_id"), nb::arg("watch").none() = nb::none())
      .def("named_ids", &named_ids, nb::arg("text"), nb::arg("normalizer"), nb::kw_only(),
           nb::arg("limit"), nb::arg("unknown_id"))
      .def("rank_buckets",
           [](SharedVocabulary& self, std::uint64_t min_count, std::int32_t first_id) {
             const auto held = self.lock<Changing>();
             return self.words.rank_buckets(min_count, first_id);
           },
           nb::kw_only(), nb::arg("min_count"), nb::arg("first_id"))
      .def("bucket_counts",
           [](const SharedVocabulary& self) {
             const auto held = self.lock<Reading>();
             const auto& counts = self.words.buckets().counts();
             return to_numpy(std::vector<std::uint8_t>(counts.begin(), counts.end()));
           })
      .def("set_bucket_counts",
           [](SharedVocabulary& self, In<std::uint8_t, 1> counts) {
             const auto held = self.lock<Changing>();
             require(counts.shape(0) == self.words.buckets().size(), "one count a bucket");
             self.words.buckets().set_counts(counts.data());
           },
           nb::arg("counts").noconvert())
      .def_prop_ro("max_id", [](const SharedVocabulary& self) { return self.words.max_id(); })
      .def("entries", &entries, nb::arg("joiner"))
      .def("add", &add_entries, nb::arg("texts"), nb::arg("joiner"), nb::kw_only(),
           nb::arg("occurrences").noconvert(), nb::arg("documents").noconvert(),
           nb::arg("ids").noconvert());
}

}  // namespace wordrow
