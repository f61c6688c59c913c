// A loop on a thread of its own that serves a port beside the main loop (SO_REUSEPORT).
//
//     SideLoop side;
//     TRY_PLAIN(side.listen(address, port, door));   // a door made for side.loop()
//     side.start();
//     co_await side.drain(seconds(3), seconds(10));  // from the main loop
//
// The handler outlives the thread: end() or the destructor comes first.
#pragma once
#include <memory>
#include <string>
#include <thread>

#include "libs/async/nursery.hpp"
#include "libs/http/server.hpp"

namespace urr::app {

// The end of a server: its clients move away, then it drains.
Task<> leave_and_drain(HttpServer& server, Duration leaving, Duration at_most);

class SideLoop {
public:
    SideLoop();
    ~SideLoop();
    SideLoop(const SideLoop&) = delete;
    SideLoop& operator=(const SideLoop&) = delete;

    RunLoop& loop() { return *loop_; }
    Result<> listen(const std::string& address, std::uint16_t port, HttpHandler& handler);
    const HttpServer& server() const { return *server_; } // after `listen`, until the end
    void start();
    // Serves on for `leaving` while its clients move away, then ends when its connections have
    // gone, or after `at_most`. Once.
    Task<> drain(Duration leaving, Duration at_most);
    // Ends the thread and what is still connected; the loop itself stays for what refers to it.
    void end();

private:
    struct Call : Node {
        SideLoop* side = nullptr;
        using Node::Node;
    };
    Task<> drain_here();

    std::unique_ptr<RunLoop> loop_;
    std::unique_ptr<HttpServer> server_;
    Nursery tasks_; // the side's own
    std::thread thread_;
    Call begin_, end_;
    // The drainer's:
    Loop* home_ = nullptr;
    Duration leaving_, at_most_;
    Gate drained_;
};

} // namespace urr::app
