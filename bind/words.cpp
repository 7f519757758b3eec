#include "words.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "arrays.h"
#include "subwords.h"
#include "texts.h"
#include "unicode.h"

namespace wordrow {
namespace {

constexpr std::int64_t kNone = -1;

// Adds concatenated UTF-8 words; returns the indices, among those given, of words that were known
// already.
Out<std::int64_t, 1> add_packed(Words& words, In<std::uint8_t, 1> data,
                                In<std::int64_t, 1> offsets) {
  require_offsets(data, offsets);
  const std::size_t n = offsets.shape(0);
  words.reserve(words.size() + n - 1);
  std::vector<std::int64_t> repeated;
  const auto* const bytes = reinterpret_cast<const char*>(data.data());
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const auto begin = static_cast<std::size_t>(offsets.data()[i]);
    const auto end = static_cast<std::size_t>(offsets.data()[i + 1]);
    if (valid_utf8(bytes + begin, end - begin, true) < end - begin)
      throw std::invalid_argument("word " + std::to_string(i) + " is not UTF-8");
    const bool is_new = end + Words::kReadable <= data.shape(0)
                            ? words.add_in_place(bytes + begin, end - begin)
                            : words.add({bytes + begin, end - begin});
    if (!is_new) repeated.push_back(static_cast<std::int64_t>(i));
  }
  return to_numpy(std::move(repeated));
}

Out<std::int64_t, 1> add(Words& words, nb::sequence texts) {
  std::vector<std::int64_t> repeated;
  std::int64_t i = 0;
  for (const nb::handle text : texts) {
    if (!words.add(to_utf8(text))) repeated.push_back(i);
    ++i;
  }
  return to_numpy(std::move(repeated));
}

std::int64_t row(const Words& words, nb::handle text) {
  if (!PyUnicode_Check(text.ptr())) return kNone;
  const std::uint32_t place = words.find(to_utf8(text));
  return place == kNoSerial ? kNone : static_cast<std::int64_t>(place);
}

Out<std::int64_t, 1> rows(const Words& words, nb::sequence texts) {
  std::vector<std::int64_t> found;
  for (const nb::handle text : texts) found.push_back(row(words, text));
  return to_numpy(std::move(found));
}

nb::list list_of(const Words& words, std::size_t begin, std::size_t end) {
  nb::list result;
  for (std::size_t i = begin; i < std::min(end, words.size()); ++i)
    result.append(to_str(words.word(i)));
  return result;
}

nb::tuple packed(const Words& words) {
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::uint8_t> data;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words.word(i);
    data.insert(data.end(), word.begin(), word.end());
    offsets.push_back(static_cast<std::int64_t>(data.size()));
  }
  return nb::make_tuple(to_numpy(std::move(data)), to_numpy(std::move(offsets)));
}

// (buckets, offsets) of the n-grams of words.
nb::tuple subwords(nb::sequence texts, int min_n, int max_n, std::uint32_t n_buckets) {
  require(n_buckets > 0 && n_buckets < std::uint32_t{1} << 31, "n_buckets must be from 1 to 2^31 - 1");
  const SubwordRules rules{min_n, max_n, n_buckets};
  std::vector<std::int32_t> buckets;
  std::vector<std::int64_t> offsets = {0};
  std::string room;
  for (const nb::handle text : texts) {
    add_subwords(to_utf8(text), rules, room, buckets);
    offsets.push_back(static_cast<std::int64_t>(buckets.size()));
  }
  return nb::make_tuple(to_numpy(std::move(buckets)), to_numpy(std::move(offsets)));
}

Out<std::uint32_t, 1> hashes(nb::sequence texts) {
  std::vector<std::uint32_t> found;
  for (const nb::handle text : texts) found.push_back(subword_hash(to_utf8(text)));
  return to_numpy(std::move(found));
}

}  // namespace

void define_words(nb::module_& module) {
  nb::class_<Words>(module, "Words")
      .def(nb::init<>())
      .def("__len__", &Words::size)
      .def("add", &add, nb::arg("texts"))
      .def("add_packed", &add_packed, nb::arg("data").noconvert(), nb::arg("offsets").noconvert())
      .def("row", &row, nb::arg("text").none())
      .def("rows", &rows, nb::arg("texts"))
      .def("word",
           [](const Words& words, std::size_t row) {
             require(row < words.size(), "row must be one of a word");
             return to_str(words.word(row));
           },
           nb::arg("row"))
      .def("list", &list_of, nb::arg("begin"), nb::arg("end"))
      .def("packed", &packed);
  module.def("subwords", &subwords, nb::arg("texts"), nb::kw_only(), nb::arg("min_n"),
             nb::arg("max_n"), nb::arg("n_buckets"));
  module.def("subword_hashes", &hashes, nb::arg("texts"));
}

}  // namespace wordrow
