// The lock of a file: one open file of all processes has it, and the kernel frees it when its process ends, also by
// SIGKILL. flock on POSIX, LockFileEx on Windows.
//
// The file is made where there is none, with mode 0600, and never removed. While the lock is held it has the holder's
// text, which anyone who may open the file can read. Other programs are kept out only where they ask for the same lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace dtesn {

class FileLock {
 public:
  // Null where another open file has the lock. Never waits. Throws std::system_error where the file cannot be opened,
  // locked or written.
  static std::unique_ptr<FileLock> take(const std::string& path, const std::string& text);

  // Empties the file and frees the lock.
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(intptr_t file) : file_(file) {}
  bool lock(const std::string& path);
  void write(const std::string& path, const std::string& text);

  intptr_t file_;  // descriptor or handle
};

}  // namespace dtesn
