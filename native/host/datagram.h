// One datagram to a Unix socket, as the notifications of systemd are sent (sd_notify(3)).
#pragma once

#include <string>

namespace dtesn {

// address: a path, or '@name' for the abstract socket of that name on Linux. Never waits: where the receiver's queue is
// full it throws, as for any call that fails, std::system_error. Returns false on a system without such sockets.
bool sendDatagram(const std::string& address, const std::string& text);

}  // namespace dtesn
