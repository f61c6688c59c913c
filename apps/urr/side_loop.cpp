#include "apps/urr/side_loop.hpp"

namespace urr::app {

Task<> leave_and_drain(HttpServer& server, Duration leaving, Duration at_most) {
    if (leaving > Duration{}) {
        server.retire();
        (void)co_await sleep(Context{}, leaving);
    }
    Context until;
    until.deadline = Loop::here().now() + at_most;
    co_await server.drain(until);
}

SideLoop::SideLoop()
    : loop_(make_asio_loop()), begin_([](Node& node) {
          SideLoop& side = *static_cast<Call&>(node).side;
          side.tasks_.spawn(side.drain_here());
      }),
      end_([](Node& node) { static_cast<Call&>(node).side->drained_.open(); }) {
    begin_.side = end_.side = this;
}

SideLoop::~SideLoop() { end(); }

void SideLoop::end() {
    if (thread_.joinable()) {
        loop_->stop();
        thread_.join();
    }
    Loop::Enter in(loop_.get());
    tasks_.clear();
    server_.reset();
}

Result<> SideLoop::listen(const std::string& address, std::uint16_t port, HttpHandler& handler) {
    ServerLimits limits;
    limits.port_is_shared = true;
    server_ = TRY_PLAIN(listen_http(*loop_, address, port, handler, limits));
    return {};
}

void SideLoop::start() {
    thread_ = std::thread([this] {
        Loop::Enter in(loop_.get());
        loop_->run();
    });
}

Task<> SideLoop::drain(Duration leaving, Duration at_most) {
    home_ = &Loop::here();
    leaving_ = leaving;
    at_most_ = at_most;
    loop_->post(begin_);
    (void)co_await drained_.wait(Context{});
}

Task<> SideLoop::drain_here() {
    co_await leave_and_drain(*server_, leaving_, at_most_);
    home_->post(end_);
}

} // namespace urr::app
