// A counter that threads wait on: spinning first, then asleep in the system. POSIX threads and Windows have it in the C
// library; std::condition_variable would raise the libstdc++ that the binary needs.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
#endif

namespace dtesn {

class Gate {
 public:
  uint64_t count() const { return count_.load(std::memory_order_acquire); }

  // Increments the count and wakes the threads that wait for it.
  void open() {
    lock();
    count_.fetch_add(1, std::memory_order_release);
    wakeAll();
    unlock();
  }

  // The same for one of them.
  void openForOne() {
    lock();
    count_.fetch_add(1, std::memory_order_release);
    wakeOne();
    unlock();
  }

  // Returns once the count is no longer `seen`.
  void wait(uint64_t seen) {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (count() != seen) return;
      pause();
    }
    waitAsleep(seen);
  }

  // The same without spinning, for what comes seldom: a spinning thread takes a CPU from others.
  void waitAsleep(uint64_t seen) {
    lock();
    while (count() == seen) sleep();
    unlock();
  }

  static void pause() {
#if defined(__x86_64__) || defined(_M_X64)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

 private:
  static constexpr int kSpins = 2000;

#if defined(_WIN32)
  void lock() { AcquireSRWLockExclusive(&lock_); }
  void unlock() { ReleaseSRWLockExclusive(&lock_); }
  void sleep() { SleepConditionVariableSRW(&condition_, &lock_, INFINITE, 0); }
  void wakeAll() { WakeAllConditionVariable(&condition_); }
  void wakeOne() { WakeConditionVariable(&condition_); }
  SRWLOCK lock_ = SRWLOCK_INIT;
  CONDITION_VARIABLE condition_ = CONDITION_VARIABLE_INIT;
#else
  void lock() { pthread_mutex_lock(&lock_); }
  void unlock() { pthread_mutex_unlock(&lock_); }
  void sleep() { pthread_cond_wait(&condition_, &lock_); }
  void wakeAll() { pthread_cond_broadcast(&condition_); }
  void wakeOne() { pthread_cond_signal(&condition_); }
  pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
#endif
  std::atomic<uint64_t> count_{0};
};

}  // namespace dtesn
