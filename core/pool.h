// One pool of threads for all of the core. The caller takes part in the work;
// a fork leaves the child with an empty pool that fills again when used.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

namespace wordrow {

// How many threads work takes part in, the caller included: WORDROW_THREADS
// where set, else the processors this process may use.
int n_threads();
void set_n_threads(int n);

// Called by the caller's thread from time to time during long work; returns
// false to stop early.
using Watch = std::function<bool()>;

// Tells when to call a Watch again: every twentieth of a second.
class Pace {
 public:
  bool is_due();

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Thrown by parallel_for when its watch said to stop.
struct Stopped {};

// Calls task(part) for every part in [0, n_parts), in any order, on up to
// n_threads() threads, and returns when all are done. The first exception
// thrown by a task is rethrown here. Calls from inside a task run in line.
void parallel_for(std::size_t n_parts, const std::function<void(std::size_t)>& task,
                  const Watch& watch = nullptr);

// Runs task(member) for every member of a gang of n threads at the same time;
// the caller is member 0. Members may wait for each other (see Barrier), so a
// task must not throw. n must be at most gang_limit().
void run_gang(int n, const std::function<void(int)>& task);
int gang_limit();

// All n members wait here until the last one has come. Spins briefly, then
// sleeps: on a busy machine the awaited thread needs the processor, and a
// thread that only yields keeps it from being moved here.
class Barrier {
 public:
  explicit Barrier(int n) : n_(n) {}
  void wait();

 private:
  const int n_;
  std::atomic<int> waiting_{0};
  std::atomic<int> round_{0};
  std::mutex mutex_;
  std::condition_variable all_here_;
};

}  // namespace wordrow
