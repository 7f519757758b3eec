#include "word2vec.h"

#include <nanobind/stl/optional.h>

#include "arrays.h"
#include "isa.h"

namespace wordrow {
namespace {

// watch: called with the number of ids done so far, over all epochs, and the recent loss.
void train(InOut<float, 2> input, InOut<float, 2> output, In<std::int64_t, 1> counts,
           In<std::int32_t, 1> ids, In<std::int64_t, 1> offsets,
           std::optional<In<std::int32_t, 1>> subwords,
           std::optional<In<std::int64_t, 1>> subword_offsets, bool cbow, bool hierarchical,
           std::size_t window, std::size_t n_negative, double exponent, double sample, double rate,
           double last_rate, std::size_t n_epochs, std::uint64_t seed, bool in_order,
           nb::object callback) {
  const std::size_t n_words = counts.shape(0), stride = input.shape(1);
  require(n_words > 0 && n_words < std::size_t{1} << 31, "there must be words");
  require(stride % kPanel == 0 && output.shape(1) == stride, "rows must be whole panels");
  require(input.shape(0) >= n_words && output.shape(0) == n_words, "one row a word");
  require(window > 0, "window must be above 0");
  require_offsets(ids, offsets);
  require(are_rows(ids.data(), ids.size(), n_words + 1), "ids must be those of words");
  require(ids.size() > 0, "there must be ids");
  require(subwords.has_value() == subword_offsets.has_value(), "n-grams need offsets");
  if (subwords) {
    require(subword_offsets->shape(0) == n_words + 1, "one list of n-grams a word");
    require_bags(*subwords, *subword_offsets, input.shape(0));
  }
  Word2VecOptions options;
  options.cbow = cbow;
  options.hierarchical = hierarchical;
  options.window = window;
  options.n_negative = n_negative;
  options.exponent = exponent;
  options.sample = sample;
  options.rate = rate;
  options.last_rate = last_rate;
  options.n_epochs = n_epochs;
  options.seed = seed;
  options.in_order = in_order;
  const Word2VecRows rows{input.data(), output.data(), stride,
                          subwords ? subwords->data() : nullptr,
                          subwords ? subword_offsets->data() : nullptr};
  const RunningText text{ids.data(), offsets.data(), offsets.shape(0) - 1};
  PythonWatch watch(std::move(callback));
  try {
    nb::gil_scoped_release release;
    Word2Vec model(options, rows, counts.data(), n_words);
    model.train(text, [&] { return watch.ask(model.n_done.load(), model.mean_loss()); });
    watch.ask(model.n_done.load(), model.mean_loss());
  } catch (const Stopped&) {
    watch.rethrow();
    throw;
  }
  watch.rethrow();
}

}  // namespace

void define_word2vec(nb::module_& module) {
  module.def("train_word2vec", &train, nb::arg("inputs").noconvert(), nb::arg("outputs").noconvert(),
             nb::arg("counts").noconvert(), nb::arg("ids").noconvert(),
             nb::arg("offsets").noconvert(), nb::arg("subwords").none(),
             nb::arg("subword_offsets").none(), nb::kw_only(), nb::arg("cbow"),
             nb::arg("hierarchical"), nb::arg("window"), nb::arg("n_negative"),
             nb::arg("exponent"), nb::arg("sample"), nb::arg("rate"), nb::arg("last_rate"),
             nb::arg("n_epochs"), nb::arg("seed"), nb::arg("in_order"),
             nb::arg("watch").none() = nb::none());
}

}  // namespace wordrow
