#include "host/datagram.h"

#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>
#endif

namespace dtesn {

#if defined(_WIN32)

bool sendDatagram(const std::string& /*address*/, const std::string& /*text*/) { return false; }

#else

namespace {

[[noreturn]] void failCall(const char* call, const std::string& address, int error) {
  throw std::system_error(error, std::generic_category(), std::string(call) + " " + address);
}

int openSocket(const std::string& address) {
#if defined(SOCK_CLOEXEC)
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
#else
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  if (socket != -1) fcntl(socket, F_SETFD, FD_CLOEXEC);
#endif
  if (socket == -1) failCall("socket", address, errno);
  return socket;
}

}  // namespace

bool sendDatagram(const std::string& address, const std::string& text) {
  sockaddr_un to = {};
  to.sun_family = AF_UNIX;
  if (address.empty() || address.size() >= sizeof to.sun_path) failCall("connect", address, ENAMETOOLONG);
  std::memcpy(to.sun_path, address.data(), address.size());
  if (address[0] == '@') to.sun_path[0] = '\0';
  // An abstract name ends with its length, a path with a zero.
  const size_t length = offsetof(sockaddr_un, sun_path) + address.size() + (address[0] == '@' ? 0 : 1);
  int flags = MSG_DONTWAIT;
#if defined(MSG_NOSIGNAL)
  flags |= MSG_NOSIGNAL;
#endif
  const int socket = openSocket(address);
  ssize_t sent = 0;
  do {
    sent = sendto(socket, text.data(), text.size(), flags, reinterpret_cast<const sockaddr*>(&to),
                  static_cast<socklen_t>(length));
  } while (sent == -1 && errno == EINTR);
  const int error = errno;
  close(socket);
  if (sent == -1) failCall("send to", address, error);
  return true;
}

#endif

}  // namespace dtesn
