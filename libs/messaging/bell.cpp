#include "libs/messaging/bell.hpp"

#include <algorithm>

namespace urr {

void Bells::ring() {
    std::lock_guard guard(mutex_); // a bell that stands in the list is not destroyed meanwhile
    for (Bell* bell : bells_) bell->ring_->post();
}

Bell::Bell(Bells& of) : bells_(of), ring_(new Ring(*this)) {
    std::lock_guard guard(bells_.mutex_);
    bells_.bells_.push_back(this);
}

Bell::~Bell() {
    {
        std::lock_guard guard(bells_.mutex_);
        std::erase(bells_.bells_, this);
    }
    ring_->bell = nullptr;
    ring_->release();
}

Bell::Ring::Ring(Bell& of)
    : Node([](Node& node) {
          Ring& ring = static_cast<Ring&>(node);
          ring.posted.store(false);
          if (ring.bell) ring.bell->ring();
          ring.release();
      }),
      bell(&of), home(Loop::here()) {}

void Bell::Ring::post() {
    if (posted.exchange(true)) return; // under way already
    references.fetch_add(1);
    home.post(*this);
}

void Bell::Ring::release() {
    if (references.fetch_sub(1) == 1) delete this;
}

} // namespace urr
