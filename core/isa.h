// The kernels that are compiled once per instruction set, as a table of
// functions; kernels() is the best table this processor can run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wordrow {

constexpr int kMaxTerms = 8;

// What one row missed while no batch used it (missed_updates.h).
struct MissedUpdate {
  float terms[kMaxTerms];  // C_p(s, k)
  int n_terms;
  float decay_m, decay_v;  // beta ** k
  float epsilon;
};

// One step of Adam: w = keep * w - alpha * m / (sqrt(v) + epsilon).
struct AdamStep {
  float keep;  // 1, or less by weight decay
  float alpha, epsilon;
  float keep_1, keep_2;  // beta_1, beta_2
  float new_1, new_2;    // 1 - beta, rounded once: 1.0f - 0.999f is off by 5e-5
};

// A use of a row: where, and how often there.
struct BagUse {
  std::uint32_t at;
  float count;
};

enum class Activation { kLinear, kRelu, kTanh, kSigmoid, kHardSigmoid };

// The activations of a recurrent cell: of the candidate and output, and of the gates.
struct CellActivations {
  Activation activation, gate;
};

// Columns of a matrix that are kept together (matrix.h).
constexpr std::size_t kPanel = 16;

// The most rows that dot_pairs and exchange take as b.
constexpr std::size_t kPairs = 6;

// The rows that windows of `size` steps sum: [n_rows, size, dim], and a bias.
struct WindowRows {
  const float* rows;
  const float* bias;  // [dim], or none
  std::size_t size, dim;
};
struct WindowColumns {
  std::size_t first, number;  // at most kPanel
};

struct Kernels {
  const char* name;
  // out[i] = table[in[i]] for units of 1, 2 or 4 bytes that are below 128. Works in whole blocks
  // and stops before one with any other unit; returns how many units were done.
  std::size_t (*map_ascii)(const void* in, std::size_t unit_bytes, std::size_t n,
                           const std::uint8_t* table, char* out);
  // edges: where words between separators begin and end, in turn, plus `begin`; returns how many
  // these are. edges has room for n + 4, and 64 bytes behind data[n] are readable.
  std::size_t (*find_edges)(const char* data, std::size_t n, char separator, std::uint32_t begin,
                            std::uint32_t* edges);
  // out[i] += scale * row[i]
  void (*add)(float* out, const float* row, std::size_t n, float scale);
  // sums[uses[j].at] += count * row, for all j: rows of n numbers
  void (*add_to_each)(float* sums, const BagUse* uses, std::size_t n_uses, const float* row,
                      std::size_t n);
  // out = the sum of count * rows[uses[j].at]
  void (*sum_of_each)(float* out, const float* rows, const BagUse* uses, std::size_t n_uses,
                      std::size_t n);
  float (*dot)(const float* a, const float* b, std::size_t n);
  void (*adam)(float* w, float* m, float* v, const float* gradient, std::size_t n,
               const AdamStep& step);
  // SGD: m = keep_1 m - alpha g; w += m, or keep_1 m - alpha g (nesterov).
  void (*sgd)(float* w, float* m, const float* gradient, std::size_t n, const AdamStep& step,
              bool nesterov);
  // Adagrad and RMSprop: v = keep v + share g^2; w -= alpha g / sqrt(v + epsilon).
  void (*adagrad)(float* w, float* v, const float* gradient, std::size_t n, const AdamStep& step,
                  float keep, float share);
  void (*apply_missed)(float* w, float* m, float* v, std::size_t n, const MissedUpdate& missed);
  // x[i] = activation(x[i])
  void (*activate)(Activation activation, float* x, std::size_t n);
  // dy[i] *= the activation's derivative where its value is y[i]
  void (*slopes)(Activation activation, const float* y, float* dy, std::size_t n);
  // A step of an LSTM with n units. gates [4 n]: in sums, out values, of i f g o; c, h: updated.
  void (*lstm_forward)(const CellActivations& of, float* gates, float* c, float* h, std::size_t n);
  // dz [4 n] from the gradients of h and c; dc becomes the gradient of c_before.
  void (*lstm_backward)(const CellActivations& of, const float* gates, const float* c_before,
                        const float* c, const float* dh, float* dc, float* dz, std::size_t n);
  // out[r] += a[r] @ b; b: [k, n_panels * kPanel] in panels of kPanel columns, the rows of a panel
  // `stride` apart, the panels panel_stride
  void (*multiply)(float* const* out, const float* const* a, std::size_t n_rows, const float* b,
                   std::size_t stride, std::size_t panel_stride, std::size_t k,
                   std::size_t n_panels);
  // c += a.T @ b: c [m, kPanel], a [n, m], b [n, kPanel], rows a stride apart
  void (*add_products)(float* c, std::size_t c_stride, const float* a, std::size_t a_stride,
                       std::size_t m, const float* b, std::size_t b_stride, std::size_t n);
  // Windows over rows, as in window.h; a gradient's line has kPanel numbers, zeros behind the last.
  // out [n, dim] = bias + the sum of each window's steps.
  void (*sum_windows)(float* out, const WindowRows& from, const std::int32_t* row_indices,
                      std::size_t n);
  // Adds gradients [n, kPanel] of some columns to the rows.
  void (*add_windows)(float* drows, const float* dsums, const WindowRows& from,
                      const std::int32_t* row_indices, std::size_t n, const WindowColumns& columns);
  // out [n, dim] = the largest sum of the windows that each pool names; zeros where it names none.
  void (*max_windows)(float* out, const WindowRows& from, const std::int32_t* row_indices,
                      std::size_t n, const std::int32_t* pools, std::size_t pool_size);
  // Its gradient, for some columns; room: kPanel floats for each window of a pool. Equal windows
  // share a gradient.
  void (*max_windows_back)(float* drows, const float* dmax, const WindowRows& from,
                           const std::int32_t* row_indices, std::size_t n,
                           const std::int32_t* pools, std::size_t pool_size,
                           const WindowColumns& columns, float* room);
  // Whether all of x is finite.
  bool (*all_finite)(const float* x, std::size_t n);
  // Whether any of x is at least the threshold.
  bool (*any_reaches)(const float* x, std::size_t n, float threshold);
  // out[i] = rows[i] . x: rows of n bytes, a multiple of kPanel
  void (*dot_bytes)(std::int32_t* out, const std::int8_t* rows, std::size_t n_rows,
                    const std::int16_t* x, std::size_t n);
  // out[i * n_b + j] = a[i] . b[j]: rows of n numbers, a multiple of kPanel; n_b at most kPairs
  void (*dot_pairs)(float* out, float* const* a, std::size_t n_a, float* const* b,
                    std::size_t n_b, std::size_t n);
  // b[j] += sum over i of share[i * n_b + j] * a[i]; a[i] += sum over j of the same * b[j], from
  // before the change.
  void (*exchange)(const float* share, float* const* a, std::size_t n_a, float* const* b,
                   std::size_t n_b, std::size_t n);
};

const Kernels& kernels();

}  // namespace wordrow
