#include "flat.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "matrix.h"
#include "pool.h"

namespace wordrow {

namespace {

using Floats = std::unique_ptr<float[]>;  // not filled
Floats floats(std::size_t n) { return Floats(new float[n]); }

// Steps are processed in blocks, so that sums stay in registers for longer.
std::size_t steps_at_once(std::size_t dim) { return std::max<std::size_t>(1, 256 / dim); }

// The front is the beginning that most texts share: at each step, the id that most of the texts
// have that equal the front so far. Texts are ordered by how long they equal it; the first
// joined[i] have left it by the end of block i.
struct Fronts {
  std::vector<std::int32_t> ids;    // [n_steps]: the front, as far as any text equals it
  std::size_t block, n_blocks;      // steps a block (the last may have fewer)
  std::vector<std::size_t> order;   // text j is the given text order[j]
  std::vector<std::size_t> joined;  // [n_blocks]

  explicit Fronts(const FlatTexts& texts)
      : ids(texts.n_steps, 0), block(steps_at_once(texts.dim)),
        n_blocks((texts.n_steps + block - 1) / block), joined(n_blocks, 0) {
    const std::size_t n_steps = texts.n_steps;
    std::vector<std::size_t> like(texts.n_texts), left;
    std::iota(like.begin(), like.end(), std::size_t{0});
    std::vector<std::int32_t> here;
    for (std::size_t t = 0; t < n_steps && !like.empty(); ++t) {
      const auto id = [&](std::size_t text) { return texts.ids[text * n_steps + t]; };
      here.clear();
      for (const std::size_t text : like) here.push_back(id(text));
      std::sort(here.begin(), here.end());
      for (auto begin = here.begin(), most = begin; begin != here.end();) {
        const auto end = std::upper_bound(begin, here.end(), *begin);
        if (end - begin > most - here.begin()) most = here.begin() + (end - begin), ids[t] = *begin;
        begin = end;
      }
      left.clear();
      for (const std::size_t text : like) (id(text) == ids[t] ? left : order).push_back(text);
      joined[t / block] = order.size();
      like.swap(left);
    }
    for (std::size_t i = 1; i < n_blocks; ++i) joined[i] = std::max(joined[i], joined[i - 1]);
    order.insert(order.end(), like.begin(), like.end());
  }

  std::size_t first_step(std::size_t i) const { return i * block; }
  std::size_t n_steps_of(std::size_t i, const FlatTexts& texts) const {
    return std::min(block, texts.n_steps - i * block);
  }
  const std::int32_t* ids_of(std::size_t j, std::size_t i, const FlatTexts& texts) const {
    return texts.ids + order[j] * texts.n_steps + i * block;
  }

  // How many lines a block has: one for each text that has left the front, and the front's.
  std::size_t n_lines(std::size_t i, const FlatTexts& texts) const {
    return joined[i] + (joined[i] < texts.n_texts);
  }
  const std::int32_t* ids_of_line(std::size_t line, std::size_t i, const FlatTexts& texts) const {
    return line < joined[i] ? ids_of(line, i, texts) : ids.data() + first_step(i);
  }

  // The rows of block i, [lines, steps * dim].
  void materialize(std::size_t i, const FlatTexts& texts, float* rows) const {
    const std::size_t n = n_steps_of(i, texts);
    for (std::size_t line = 0; line < n_lines(i, texts); ++line)
      copy(ids_of_line(line, i, texts), n, texts, rows + line * n * texts.dim);
  }
  // The same line by line; lines whose rows are contiguous in the table are not copied.
  void find(std::size_t i, const FlatTexts& texts, float* room, const float** lines) const {
    const std::size_t n = n_steps_of(i, texts);
    for (std::size_t line = 0; line < n_lines(i, texts); ++line) {
      const std::int32_t* const own = ids_of_line(line, i, texts);
      std::size_t t = 1;
      while (t < n && own[t] == own[t - 1] + 1) ++t;
      lines[line] = t == n ? texts.table + static_cast<std::size_t>(own[0]) * texts.dim
                           : copy(own, n, texts, room + line * n * texts.dim);
    }
  }

 private:
  static const float* copy(const std::int32_t* own, std::size_t n, const FlatTexts& texts,
                           float* to) {
    for (std::size_t t = 0; t < n; ++t)
      std::copy_n(texts.table + static_cast<std::size_t>(own[t]) * texts.dim, texts.dim,
                  to + t * texts.dim);
    return to;
  }
};

}  // namespace

void flat_product(const FlatTexts& texts, float* out) {
  const Fronts fronts(texts);
  const std::size_t n_texts = texts.n_texts, n_units = texts.n_units;
  const std::size_t panels = n_panels(n_units), width = padded(n_units);
  // One line more than texts: that of the front.
  const Floats sums = floats((n_texts + 1) * width);
  std::fill_n(sums.get(), (n_texts + 1) * width, 0.0f);
  // Each task has columns of its own; the number of tasks does not change the bits.
  const std::size_t n_tasks = std::min(panels, static_cast<std::size_t>(n_threads()));
  parallel_for(n_tasks, [&](std::size_t task) {
    const std::size_t begin = panels * task / n_tasks, end = panels * (task + 1) / n_tasks;
    const std::size_t n_columns = std::min(end * kPanel, n_units) - begin * kPanel;
    std::vector<float> rows((n_texts + 1) * fronts.block * texts.dim);
    std::vector<const float*> from(n_texts + 1);
    std::vector<float*> lines(n_texts + 1);
    Packed packed;
    std::size_t n_before = 0;
    for (std::size_t i = 0; i < fronts.n_blocks; ++i) {
      const std::size_t n = fronts.joined[i], k = fronts.n_steps_of(i, texts) * texts.dim;
      float* const front = sums.get() + n_texts * width + begin * kPanel;
      for (std::size_t j = n_before; j < n; ++j)
        std::copy_n(front, (end - begin) * kPanel, sums.get() + j * width + begin * kPanel);
      n_before = n;
      const std::size_t n_lines = fronts.n_lines(i, texts);
      fronts.find(i, texts, rows.data(), from.data());
      for (std::size_t j = 0; j < n_lines; ++j)
        lines[j] = j < n ? sums.get() + j * width + begin * kPanel : front;
      const float* const kernel =
          texts.kernel + fronts.first_step(i) * texts.dim * n_units + begin * kPanel;
      packed.pack(kernel, k, n_columns, n_units);
      packed.multiply(lines.data(), from.data(), n_lines);
    }
  });
  const std::size_t n_all = fronts.n_blocks ? fronts.joined.back() : 0;
  for (std::size_t j = 0; j < n_texts; ++j)
    std::copy_n(sums.get() + (j < n_all ? j : n_texts) * width, n_units,
                out + fronts.order[j] * n_units);
}

namespace {

// The backward pass, block by block; shared by tasks.
class FlatBack {
 public:
  FlatBack(const FlatTexts& texts, const float* dout)
      : texts_(texts), fronts_(texts), width_(padded(texts.n_units)),
        dout_(floats(texts.n_texts * width_)), later_(floats((texts.n_texts + 1) * width_)),
        drows_(floats(texts.n_steps * texts.n_texts * texts.dim)),
        dfront_(floats(texts.n_steps * texts.dim)) {
    const std::size_t n_texts = texts.n_texts, n_units = texts.n_units;
    for (std::size_t j = 0; j < n_texts; ++j) {
      float* const line = dout_.get() + j * width_;
      std::fill_n(line, width_, 0.0f);
      std::copy_n(dout + fronts_.order[j] * n_units, n_units, line);
    }
    std::fill_n(later_.get() + n_texts * width_, width_, 0.0f);
    for (std::size_t j = n_texts; j-- > 0;) {
      std::copy_n(later_.get() + (j + 1) * width_, width_, later_.get() + j * width_);
      kernels().add(later_.get() + j * width_, dout_.get() + j * width_, width_, 1.0f);
    }
    turned_.pack(dout_.get(), n_units, n_texts, 1, width_);
  }

  std::size_t n_blocks() const { return fronts_.n_blocks; }
  // Gradients of a block's part of the kernel, and of its rows.
  void block(std::size_t i, float* dkernel);
  // The gradient of the table, from those of all blocks.
  void gather(float* dtable) const;

 private:
  // Where the gradients of a text's rows in a block are.
  float* drows_of(std::size_t i, std::size_t j) const {
    const std::size_t n = fronts_.n_steps_of(i, texts_);
    return drows_.get() + (fronts_.first_step(i) * texts_.n_texts + j * n) * texts_.dim;
  }
  // Adds rows.T @ gradients to the k lines of a block's part of the kernel's gradient.
  void add_to_kernel(float* to, std::size_t k, const float* rows, const float* gradients,
                     std::size_t n) const;

  const FlatTexts& texts_;
  const Fronts fronts_;
  const std::size_t width_;
  const Floats dout_;    // [n_texts, width], in the order of fronts
  const Floats later_;   // [n_texts + 1, width]: line j is the sum of lines from j on
  const Floats drows_;   // by block [n_texts, steps, dim]
  const Floats dfront_;  // [n_steps, dim]: of the front's rows
  Packed turned_;        // dout, transposed
};

void FlatBack::add_to_kernel(float* to, std::size_t k, const float* rows, const float* gradients,
                             std::size_t n) const {
  const std::size_t n_units = texts_.n_units;
  const std::size_t n_whole = n_units / kPanel, rest = n_units % kPanel;
  for (std::size_t panel = 0; panel < n_whole; ++panel)
    kernels().add_products(to + panel * kPanel, n_units, rows, k, k, gradients + panel * kPanel,
                           width_, n);
  if (rest == 0) return;
  thread_local std::vector<float> columns;
  columns.assign(k * kPanel, 0.0f);
  kernels().add_products(columns.data(), kPanel, rows, k, k, gradients + n_whole * kPanel, width_,
                         n);
  for (std::size_t d = 0; d < k; ++d)
    for (std::size_t j = 0; j < rest; ++j)
      to[d * n_units + n_whole * kPanel + j] += columns[d * kPanel + j];
}

void FlatBack::block(std::size_t i, float* dkernel) {
  const std::size_t n_units = texts_.n_units, n_texts = texts_.n_texts;
  const std::size_t n = fronts_.joined[i], n_columns = padded(n);
  const std::size_t first = fronts_.first_step(i) * texts_.dim;
  const std::size_t k = fronts_.n_steps_of(i, texts_) * texts_.dim;
  const float* const kernel = texts_.kernel + first * n_units;
  thread_local std::vector<float> rows, turned;
  thread_local std::vector<const float*> from;
  thread_local std::vector<float*> to;
  rows.resize((n_texts + 1) * k);
  fronts_.materialize(i, texts_, rows.data());
  std::fill_n(dkernel + first * n_units, k * n_units, 0.0f);
  add_to_kernel(dkernel + first * n_units, k, rows.data(), dout_.get(), n);

  // kernel @ dout.T: the rows' gradients, transposed
  turned.assign(k * n_columns, 0.0f);
  from.resize(k), to.resize(k);
  for (std::size_t d = 0; d < k; ++d)
    from[d] = kernel + d * n_units, to[d] = turned.data() + d * n_columns;
  turned_.multiply(to.data(), from.data(), k, n_panels(n));
  for (std::size_t j = 0; j < n; ++j) {
    float* const drows = drows_of(i, j);
    for (std::size_t d = 0; d < k; ++d) drows[d] = turned[d * n_columns + j];
  }

  float* const dfront = dfront_.get() + first;
  std::fill_n(dfront, k, 0.0f);
  if (n == n_texts) return;
  const float* const gradient = later_.get() + n * width_;
  add_to_kernel(dkernel + first * n_units, k, rows.data() + n * k, gradient, 1);
  for (std::size_t d = 0; d < k; ++d)
    dfront[d] = kernels().dot(kernel + d * n_units, gradient, n_units);
}

void FlatBack::gather(float* dtable) const {
  // Each part has the rows of some ids, and adds to them in the order of the blocks.
  constexpr std::size_t kParts = 8;
  const std::size_t dim = texts_.dim;
  parallel_for(kParts, [&](std::size_t part) {
    for (std::size_t row = part; row < texts_.n_rows; row += kParts)
      std::fill_n(dtable + row * dim, dim, 0.0f);
    for (std::size_t i = 0; i < fronts_.n_blocks; ++i) {
      const std::size_t n = fronts_.n_steps_of(i, texts_);
      for (std::size_t t = fronts_.first_step(i); t < fronts_.first_step(i) + n; ++t) {
        const auto front = static_cast<std::size_t>(fronts_.ids[t]);
        if (front % kParts == part)
          kernels().add(dtable + front * dim, dfront_.get() + t * dim, dim, 1.0f);
      }
      for (std::size_t j = 0; j < fronts_.joined[i]; ++j) {
        const std::int32_t* const ids = fronts_.ids_of(j, i, texts_);
        for (std::size_t t = 0; t < n; ++t) {
          const auto id = static_cast<std::size_t>(ids[t]);
          if (id % kParts == part)
            kernels().add(dtable + id * dim, drows_of(i, j) + t * dim, dim, 1.0f);
        }
      }
    }
  });
}

}  // namespace

void flat_product_back(const FlatTexts& texts, const float* dout, float* dtable, float* dkernel) {
  FlatBack back(texts, dout);
  parallel_for(back.n_blocks(), [&](std::size_t i) { back.block(i, dkernel); });
  back.gather(dtable);
}

}  // namespace wordrow
