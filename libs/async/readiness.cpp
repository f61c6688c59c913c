#include "libs/async/readiness.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

namespace urr {

namespace asio = boost::asio;
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
using ErrorCode = boost::system::error_code;

// Shared with the operations under way: they end after whoever asked has gone.
struct Readiness::State : std::enable_shared_from_this<State> {
    Descriptor descriptor;
    Listener* listener;
    bool reading = false, writing = false;

    State(asio::io_context& io, int number, Listener& to) : descriptor(io), listener(&to) {
        ErrorCode ignored;
        descriptor.assign(number, ignored);
    }
    void wait(Descriptor::wait_type what, bool State::* flag) {
        if (this->*flag) return;
        this->*flag = true;
        descriptor.async_wait(what, [self = shared_from_this(), flag](ErrorCode error) {
            (*self).*flag = false;
            if (!error && self->listener) self->listener->ready();
        });
    }
};

Readiness::Readiness(RunLoop& loop, int descriptor, Listener& listener)
    : state_(std::make_shared<State>(*static_cast<asio::io_context*>(loop.native()), descriptor,
                                     listener)) {}

Readiness::~Readiness() {
    state_->listener = nullptr;
    if (state_->descriptor.is_open()) state_->descriptor.release();
}

void Readiness::want(bool reading, bool writing) {
    if (reading) state_->wait(Descriptor::wait_read, &State::reading);
    if (writing) state_->wait(Descriptor::wait_write, &State::writing);
}

} // namespace urr
