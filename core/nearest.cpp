#include "nearest.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "isa.h"
#include "matrix.h"
#include "memory.h"

namespace wordrow {
namespace {

struct Named {
  float score;
  std::int64_t row;
  bool operator<(const Named& other) const {  // whether it comes first
    return score != other.score ? score > other.score : row < other.row;
  }
};

// The best n of what it is offered: a heap with the last of them on top.
class Best {
 public:
  explicit Best(std::size_t n) : n_(n) {}
  float threshold() const { return threshold_; }  // what does not reach it is not among them
  void offer(float score, std::int64_t row) {
    const Named one{score, row};
    if (named_.size() == n_) {
      if (!(one < named_.front())) return;
      std::pop_heap(named_.begin(), named_.end());
      named_.pop_back();
    }
    named_.push_back(one);
    std::push_heap(named_.begin(), named_.end());
    if (named_.size() == n_) threshold_ = named_.front().score;
  }
  const std::vector<Named>& named() const { return named_; }
  // The best first; row -1 where there are no more.
  void write(std::size_t n, std::int64_t* rows, float* scores) {
    std::sort(named_.begin(), named_.end());
    for (std::size_t i = 0; i < n; ++i) {
      rows[i] = i < named_.size() ? named_[i].row : -1;
      scores[i] = i < named_.size() ? named_[i].score : 0.0f;
    }
  }

 private:
  std::size_t n_;
  float threshold_ = -HUGE_VALF;
  std::vector<Named> named_;
};

constexpr std::size_t kRowsAtOnce = 256;    // packed together
constexpr std::size_t kQueriesAtOnce = 96;  // multiplied with them together
constexpr std::size_t kFewQueries = 3;      // for which packing does not pay

void search_few(const Directions& from, const float* queries, std::size_t n_queries,
                std::size_t begin, std::size_t end, std::vector<Best>& best) {
  constexpr std::size_t kAhead = 8;
  for (std::size_t row = begin; row < end; ++row) {
    const float* const numbers = from.table + row * from.dim;
    for (std::size_t d = 0; row + kAhead < end && d < from.dim; d += 16)
      prefetch_address(numbers + kAhead * from.dim + d);
    if (from.scales[row] == 0) continue;
    for (std::size_t q = 0; q < n_queries; ++q) {
      const float score =
          kernels().dot(numbers, queries + q * from.dim, from.dim) * from.scales[row];
      if (score >= best[q].threshold()) best[q].offer(score, static_cast<std::int64_t>(row));
    }
  }
}

void search_many(const Directions& from, const float* queries, std::size_t n_queries,
                 std::size_t begin, std::size_t end, std::vector<Best>& best) {
  Packed packed;
  std::vector<float> turned(kRowsAtOnce * from.dim), scores(kQueriesAtOnce * kRowsAtOnce);
  std::vector<float*> out(kQueriesAtOnce);
  std::vector<const float*> in(kQueriesAtOnce);
  for (std::size_t first = begin; first < end; first += kRowsAtOnce) {
    const std::size_t n_rows = std::min(kRowsAtOnce, end - first);
    for (std::size_t i = 0; i < n_rows; ++i)
      for (std::size_t d = 0; d < from.dim; ++d)
        turned[i * from.dim + d] = from.table[(first + i) * from.dim + d] * from.scales[first + i];
    packed.pack(turned.data(), from.dim, n_rows, 1, from.dim);
    for (std::size_t query = 0; query < n_queries; query += kQueriesAtOnce) {
      const std::size_t n_now = std::min(kQueriesAtOnce, n_queries - query);
      for (std::size_t q = 0; q < n_now; ++q) {
        in[q] = queries + (query + q) * from.dim;
        out[q] = scores.data() + q * kRowsAtOnce;
        std::fill_n(out[q], kRowsAtOnce, 0.0f);
      }
      packed.multiply(out.data(), in.data(), n_now);
      for (std::size_t q = 0; q < n_now; ++q) {
        Best& own = best[query + q];
        for (std::size_t panel = 0; panel < n_rows; panel += kPanel) {
          const float* const some = out[q] + panel;
          if (!kernels().any_reaches(some, kPanel, own.threshold())) continue;
          for (std::size_t i = 0; i < std::min(kPanel, n_rows - panel); ++i)
            if (some[i] >= own.threshold() && from.scales[first + panel + i] != 0)
              own.offer(some[i], static_cast<std::int64_t>(first + panel + i));
        }
      }
    }
  }
}

}  // namespace

void inverse_lengths(const float* table, std::size_t n_rows, std::size_t dim, float* out) {
  constexpr std::size_t kRowsPerPart = 1024;
  parallel_for((n_rows + kRowsPerPart - 1) / kRowsPerPart, [&](std::size_t part) {
    const std::size_t end = std::min(n_rows, (part + 1) * kRowsPerPart);
    for (std::size_t row = part * kRowsPerPart; row < end; ++row) {
      const float* const numbers = table + row * dim;
      double square = kernels().dot(numbers, numbers, dim);
      if (!(square > 1e-30 && square < 1e30)) {  // where floats lose it
        square = 0;
        for (std::size_t d = 0; d < dim; ++d) square += static_cast<double>(numbers[d]) * numbers[d];
      }
      const double inverse = square > 0 ? 1.0 / std::sqrt(square) : 0.0;
      out[row] = inverse < 3e38 ? static_cast<float>(inverse) : 0.0f;
    }
  });
}

RoundedRows::RoundedRows(const Directions& from)
    : stride_(padded(from.dim)),
      bytes_(from.n_rows * stride_, 0),
      steps_(from.n_rows),
      errors_(from.n_rows) {
  constexpr std::size_t kRowsPerPart = 1024;
  parallel_for((from.n_rows + kRowsPerPart - 1) / kRowsPerPart, [&](std::size_t part) {
    const std::size_t end = std::min(from.n_rows, (part + 1) * kRowsPerPart);
    for (std::size_t row = part * kRowsPerPart; row < end; ++row) {
      const float* const numbers = from.table + row * from.dim;
      const float scale = from.scales[row];
      if (scale == 0) continue;  // zeros, or what is no direction
      float largest = 0;
      for (std::size_t d = 0; d < from.dim; ++d)
        largest = std::max(largest, std::fabs(numbers[d] * scale));
      const float step = largest / 127.0f, inverse = step > 0 ? 1.0f / step : 0.0f;
      double square = 0;
      for (std::size_t d = 0; d < from.dim; ++d) {
        const float x = numbers[d] * scale;
        const float rounded = std::nearbyint(x * inverse);
        bytes_[row * stride_ + d] = static_cast<std::int8_t>(rounded);
        const double off = static_cast<double>(x) - static_cast<double>(rounded) * step;
        square += off * off;
      }
      steps_[row] = step;
      errors_[row] = static_cast<float>(std::sqrt(square));
    }
  });
}

void RoundedRows::find_nearest(const Directions& from, const float* query, std::size_t n,
                               std::int64_t* rows, float* scores) const {
  // The query as whole numbers too, so small that no sum of products is above 2^31.
  std::vector<std::int16_t> whole(stride_, 0);
  float largest = 0;
  double square = 0;
  for (std::size_t d = 0; d < from.dim; ++d) {
    largest = std::max(largest, std::fabs(query[d]));
    square += static_cast<double>(query[d]) * query[d];
  }
  const double room = 2147483647.0 / 128.0 / static_cast<double>(from.dim);
  const auto most = static_cast<float>(std::min(32767.0, std::floor(room)));
  const float step = largest / most;
  double lost = 0;
  for (std::size_t d = 0; d < from.dim && step > 0; ++d) {
    whole[d] = static_cast<std::int16_t>(std::nearbyint(query[d] / step));
    const double off = static_cast<double>(query[d]) - static_cast<double>(whole[d]) * step;
    lost += off * off;
  }
  // |r . q - r' . q'| <= |r - r'| |q| + |r'| |q - q'|, and some for the rounding of floats.
  const auto length = static_cast<float>(std::sqrt(square));
  const auto query_error = static_cast<float>(std::sqrt(lost)) * 1.1f + 1e-5f * length;

  struct Candidate {
    float most;
    std::int64_t row;
  };
  constexpr std::size_t kRowsAtOnce = 512;
  // To wake a thread takes as long as some megabytes do.
  constexpr std::size_t kBytesPerPart = 6 << 20;
  const std::size_t n_parts = std::clamp<std::size_t>(
      from.n_rows * stride_ / kBytesPerPart, 1, static_cast<std::size_t>(n_threads()) * 2);
  std::vector<std::vector<Candidate>> candidates(n_parts);
  std::vector<Best> least(n_parts, Best(n));  // by what their scores are at least
  parallel_for(n_parts, [&](std::size_t part) {
    std::int32_t sums[kRowsAtOnce];
    float highest[kRowsAtOnce];
    Best& own = least[part];
    const std::size_t end = from.n_rows * (part + 1) / n_parts;
    for (std::size_t first = from.n_rows * part / n_parts; first < end; first += kRowsAtOnce) {
      const std::size_t n_rows = std::min(kRowsAtOnce, end - first);
      kernels().dot_bytes(sums, bytes_.data() + first * stride_, n_rows, whole.data(), stride_);
      for (std::size_t i = 0; i < n_rows; ++i)
        highest[i] = static_cast<float>(sums[i]) * (steps_[first + i] * step) +
                     errors_[first + i] * length + query_error;
      if (!kernels().any_reaches(highest, n_rows, own.threshold())) continue;
      for (std::size_t panel = 0; panel < n_rows; panel += kPanel) {
        const std::size_t n_now = std::min(kPanel, n_rows - panel);
        if (!kernels().any_reaches(highest + panel, n_now, own.threshold())) continue;
        for (std::size_t i = panel; i < panel + n_now; ++i) {
          const std::size_t row = first + i;
          if (highest[i] < own.threshold() || from.scales[row] == 0) continue;
          candidates[part].push_back({highest[i], static_cast<std::int64_t>(row)});
          own.offer(highest[i] - 2 * (errors_[row] * length + query_error),
                    static_cast<std::int64_t>(row));
        }
      }
    }
  });
  Best sure(n), best(n);
  for (const Best& part : least)
    for (const Named& one : part.named()) sure.offer(one.score, one.row);
  for (const auto& part : candidates)
    for (const Candidate& one : part) {
      if (one.most < sure.threshold()) continue;
      const auto row = static_cast<std::size_t>(one.row);
      best.offer(kernels().dot(from.table + row * from.dim, query, from.dim) * from.scales[row],
                 one.row);
    }
  best.write(n, rows, scores);
}

void find_nearest(const Directions& from, const float* queries, std::size_t n_queries,
                  std::size_t n, std::int64_t* rows, float* scores, const Watch& watch) {
  // Some parts for each thread, each with its own best; what comes out does not depend on them.
  const std::size_t smallest = n_queries <= kFewQueries ? 4096 : 4 * kRowsAtOnce;
  const std::size_t n_parts = std::clamp<std::size_t>(
      from.n_rows / smallest, 1, static_cast<std::size_t>(n_threads()) * 4);
  std::vector<std::vector<Best>> best(n_parts);
  parallel_for(
      n_parts,
      [&](std::size_t part) {
        best[part].assign(n_queries, Best(n));
        const std::size_t begin = from.n_rows * part / n_parts;
        const std::size_t end = from.n_rows * (part + 1) / n_parts;
        const auto search = n_queries <= kFewQueries ? search_few : search_many;
        search(from, queries, n_queries, begin, end, best[part]);
      },
      watch);
  for (std::size_t q = 0; q < n_queries; ++q) {
    Best all(n);
    for (const auto& part : best)
      for (const Named& one : part[q].named()) all.offer(one.score, one.row);
    all.write(n, rows + q * n, scores + q * n);
  }
}

}  // namespace wordrow
