#include "host/file_lock.h"

#include <system_error>

#if defined(_WIN32)
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace dtesn {

#if defined(_WIN32)

namespace {

[[noreturn]] void failCall(const char* call, const std::string& path) {
  throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), std::string(call) + " " + path);
}

HANDLE handleOf(intptr_t file) { return reinterpret_cast<HANDLE>(file); }

std::wstring wide(const std::string& path) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), nullptr, 0);
  std::wstring result(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), &result[0], length);
  return result;
}

}  // namespace

std::unique_ptr<FileLock> FileLock::take(const std::string& path, const std::string& text) {
  const HANDLE file = CreateFileW(wide(path).c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                  nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) failCall("open", path);
  std::unique_ptr<FileLock> lock(new FileLock(reinterpret_cast<intptr_t>(file)));
  if (!lock->lock(path)) return nullptr;
  lock->write(path, text);
  return lock;
}

// A locked byte cannot be read by others, so it lies far behind the text.
bool FileLock::lock(const std::string& path) {
  OVERLAPPED place = {};
  place.OffsetHigh = 0x40000000;
  if (LockFileEx(handleOf(file_), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)) return true;
  const DWORD error = GetLastError();
  if (error != ERROR_LOCK_VIOLATION && error != ERROR_IO_PENDING) failCall("lock", path);
  CloseHandle(handleOf(file_));
  file_ = -1;
  return false;
}

void FileLock::write(const std::string& path, const std::string& text) {
  DWORD written = 0;
  if (SetFilePointer(handleOf(file_), 0, nullptr, FILE_BEGIN) == INVALID_SET_FILE_POINTER ||
      !SetEndOfFile(handleOf(file_)) ||
      !WriteFile(handleOf(file_), text.data(), static_cast<DWORD>(text.size()), &written, nullptr)) {
    failCall("write", path);
  }
}

FileLock::~FileLock() {
  if (file_ == -1) return;
  SetFilePointer(handleOf(file_), 0, nullptr, FILE_BEGIN);
  SetEndOfFile(handleOf(file_));
  CloseHandle(handleOf(file_));
}

#else

namespace {

[[noreturn]] void failCall(const char* call, const std::string& path) {
  throw std::system_error(errno, std::generic_category(), std::string(call) + " " + path);
}

template <class Call>
auto untilDone(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace

std::unique_ptr<FileLock> FileLock::take(const std::string& path, const std::string& text) {
  // Never emptied before it is locked: until then the text is that of the holder.
  const int file = untilDone([&] { return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600); });
  if (file == -1) failCall("open", path);
  std::unique_ptr<FileLock> lock(new FileLock(file));
  if (!lock->lock(path)) return nullptr;
  lock->write(path, text);
  return lock;
}

bool FileLock::lock(const std::string& path) {
  const int file = static_cast<int>(file_);
  if (untilDone([&] { return flock(file, LOCK_EX | LOCK_NB); }) == 0) return true;
  const int error = errno;
  close(file);
  file_ = -1;
  if (error == EWOULDBLOCK) return false;
  errno = error;
  failCall("flock", path);
}

void FileLock::write(const std::string& path, const std::string& text) {
  const int file = static_cast<int>(file_);
  if (untilDone([&] { return ftruncate(file, 0); }) == -1) failCall("ftruncate", path);
  for (size_t done = 0; done < text.size();) {
    const ssize_t written =
        untilDone([&] { return pwrite(file, text.data() + done, text.size() - done, static_cast<off_t>(done)); });
    if (written == -1) failCall("write", path);
    done += static_cast<size_t>(written);
  }
}

FileLock::~FileLock() {
  if (file_ == -1) return;
  const int file = static_cast<int>(file_);
  // A text that stays behind does no harm: only the lock says who holds it.
  if (ftruncate(file, 0) == -1) errno = 0;
  close(file);
}

#endif

}  // namespace dtesn
