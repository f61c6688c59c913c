#include "services/worker/domain/chain.hpp"

namespace urr::worker {

Digest first_hash(const EventId& event) { return sha256("urr-evidence-1 " + event.text()); }

Digest next_hash(const Digest& before, const Link& link) {
    Sha256 hash;
    hash.update({reinterpret_cast<const char*>(before.data()), before.size()});
    hash.update(std::to_string(link.position) + " " + link.source + " " + link.generation.text() +
                " " + std::to_string(link.number) + " ");
    hash.update(link.record);
    return hash.finish();
}

} // namespace urr::worker
