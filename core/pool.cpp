#include "pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "arenas.h"

#if defined(__linux__)
#include <sched.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace wordrow {
namespace {

int usable_processors() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned n = std::thread::hardware_concurrency();
  return n ? static_cast<int>(n) : 1;
}

int threads_from_environment() {
  if (const char* text = std::getenv("WORDROW_THREADS")) {
    const int n = std::atoi(text);
    if (n > 0) return n;
  }
  return usable_processors();
}

std::atomic<int>& thread_count() {
  static std::atomic<int> count{threads_from_environment()};
  return count;
}

thread_local bool inside_task = false;

// Marks this thread as working on a task while it lives.
struct InsideTask {
  const bool before = inside_task;
  InsideTask() { inside_task = true; }
  ~InsideTask() { inside_task = before; }
};

class Pool {
 public:
  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  // Starts threads until there are n, or as many as the system gives; returns
  // how many there are.
  int reserve(int n) {
    std::lock_guard<std::mutex> lock(mutex_);
    return grow(n);
  }

  // n_workers threads and the caller take parts until none is left; a gang is
  // the case where each takes the one part that bears its number.
  void run(std::size_t n_parts, const std::function<void(std::size_t)>& task, int n_workers,
           bool is_gang, const Watch& watch) {
    std::lock_guard<std::mutex> one_job(job_mutex_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      n_workers = std::min(n_workers, grow(n_workers));
      task_ = &task;
      n_parts_ = n_parts;
      next_.store(0);
      error_ = nullptr;
      is_gang_ = is_gang;
      n_invited_ = n_busy_ = n_workers;
      ++job_;
    }
    wake_.notify_all();
    {
      const InsideTask inside;
      if (is_gang) {
        task(0);
      } else {
        take_parts(watch);
      }
    }
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [this] { return n_busy_ == 0; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void work(int number) {
    use_main_arena();
    inside_task = true;
    std::uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return closing_ || (job_ != seen && number < n_invited_); });
        if (closing_) return;
        seen = job_;
      }
      if (is_gang_) {
        (*task_)(static_cast<std::size_t>(number) + 1);
      } else {
        take_parts(nullptr);
      }
      std::lock_guard<std::mutex> lock(mutex_);
      if (--n_busy_ == 0) idle_.notify_one();
    }
  }

  int grow(int n) {
    try {
      while (static_cast<int>(threads_.size()) < n) {
        const auto number = static_cast<int>(threads_.size());
        threads_.emplace_back([this, number] { work(number); });
      }
    } catch (const std::system_error&) {
    }
    return static_cast<int>(threads_.size());
  }

  void take_parts(const Watch& watch) {
    Pace pace;
    for (std::size_t part; (part = next_.fetch_add(1)) < n_parts_;) {
      try {
        (*task_)(part);
        if (watch && pace.is_due() && !watch()) throw Stopped{};
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!error_ || part < error_part_) {  // the same one, whichever thread was faster
          error_ = std::current_exception();
          error_part_ = part;
        }
        next_.store(n_parts_);
      }
    }
  }

  std::mutex job_mutex_, mutex_;
  std::condition_variable wake_, idle_;
  std::vector<std::thread> threads_;
  const std::function<void(std::size_t)>* task_ = nullptr;
  std::size_t n_parts_ = 0;
  std::atomic<std::size_t> next_{0};
  std::exception_ptr error_;
  std::size_t error_part_ = 0;
  int n_invited_ = 0, n_busy_ = 0;
  std::uint64_t job_ = 0;
  bool is_gang_ = false, closing_ = false;
};

// Never destroyed: at exit the workers sleep, and joining threads from static
// destructors is what hangs interpreters that unload in another order.
Pool* pool = nullptr;
std::mutex* pool_mutex = new std::mutex;

Pool& the_pool() {
  std::lock_guard<std::mutex> lock(*pool_mutex);
  if (!pool) {
    pool = new Pool;
#if !defined(_WIN32)
    // The threads do not survive a fork; the child leaves the old pool behind.
    static const int registered = pthread_atfork(nullptr, nullptr, [] {
      pool = nullptr;
      pool_mutex = new std::mutex;
      inside_task = false;
    });
    (void)registered;
#endif
  }
  return *pool;
}

}  // namespace

int n_threads() { return thread_count().load(); }
void set_n_threads(int n) { thread_count().store(n < 1 ? 1 : n); }

void parallel_for(std::size_t n_parts, const std::function<void(std::size_t)>& task,
                  const Watch& watch) {
  const auto n = static_cast<std::size_t>(inside_task ? 1 : n_threads());
  if (n_parts <= 1 || n <= 1) {
    Pace pace;
    for (std::size_t part = 0; part < n_parts; ++part) {
      task(part);
      if (watch && pace.is_due() && !watch()) throw Stopped{};
    }
    return;
  }
  the_pool().run(n_parts, task, static_cast<int>((n < n_parts ? n : n_parts) - 1), false, watch);
}

bool Pace::is_due() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(50)) return false;
  last_ = now;
  return true;
}

int gang_limit() {
  const int n = inside_task ? 1 : n_threads();
  return n <= 1 ? 1 : 1 + std::min(n - 1, the_pool().reserve(n - 1));
}

void run_gang(int n, const std::function<void(int)>& task) {
  if (n <= 1) {
    task(0);
    return;
  }
  const auto numbered = [&](std::size_t member) { task(static_cast<int>(member)); };
  the_pool().run(static_cast<std::size_t>(n), numbered, n - 1, true, nullptr);
}

void Barrier::wait() {
  constexpr int kSpins = 100000;  // some fifty microseconds: about a phase of a batch
  const int round = round_.load(std::memory_order_acquire);
  if (waiting_.fetch_add(1, std::memory_order_acq_rel) == n_ - 1) {
    waiting_.store(0, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      round_.store(round + 1, std::memory_order_release);
    }
    all_here_.notify_all();
    return;
  }
  for (int spins = 0; spins < kSpins; ++spins)
    if (round_.load(std::memory_order_acquire) != round) return;
  std::unique_lock<std::mutex> lock(mutex_);
  all_here_.wait(lock, [&] { return round_.load(std::memory_order_acquire) != round; });
}

}  // namespace wordrow
