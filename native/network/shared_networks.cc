#include "network/shared_networks.h"

#include <map>
#include <mutex>

namespace dtesn {
namespace {

struct Registry {
  std::mutex mutex;
  uint64_t next = 1;
  std::map<uint64_t, const AnyNetwork*> networks;
};

// Of the whole process, and never destroyed: workers may end after the main thread's statics do.
Registry& registry() {
  static Registry* const registry = new Registry();
  return *registry;
}

}  // namespace

uint64_t SharedNetworks::share(const AnyNetwork& network) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  if (network.number_ == 0) {
    network.number_ = registry().next++;
    registry().networks.emplace(network.number_, &network);
  }
  return network.number_;
}

Shared<AnyNetwork> SharedNetworks::claim(uint64_t number) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  const auto found = registry().networks.find(number);
  // A network that lost its last owner waits for this lock before it goes.
  if (found == registry().networks.end() || !found->second->holdIfOwned()) return Shared<AnyNetwork>();
  return Shared<AnyNetwork>::adopt(found->second);
}

void SharedNetworks::forget(uint64_t number) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  registry().networks.erase(number);
}

AnyNetwork::~AnyNetwork() {
  if (number_ != 0) SharedNetworks::forget(number_);
}

}  // namespace dtesn
