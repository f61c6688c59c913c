// Stands between a client and a server, byte by byte: passes on what comes, cuts every connection
// behind so many bytes, or swallows what comes, as a half-open connection does. On a thread of its
// own.
//
//     TcpBetween between(server_port);          // the client goes to between.port()
//     between.down.cut_behind = 12;             // of what the server says from now on
#pragma once
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace urr::engines {

class TcpBetween {
public:
    struct Direction {
        std::atomic<std::int64_t> passed{0};
        std::atomic<std::int64_t> cut_behind{-1}; // what is left; -1: nothing is cut
        std::atomic<bool> swallows{false};
    };
    Direction up, down; // from the client, from the server
    std::atomic<int> cuts{0};

    explicit TcpBetween(int server_port);
    ~TcpBetween();
    TcpBetween(const TcpBetween&) = delete;
    TcpBetween& operator=(const TcpBetween&) = delete;
    int port() const { return port_; }

private:
    struct Pair {
        int client = -1, server = -1;
    };
    void run();
    void accept_one();
    bool pass(int from, int to, Direction& direction);
    void close_pair(Pair& pair, bool reset);

    const int server_port_;
    int listener_ = -1, port_ = 0;
    std::vector<Pair> pairs_;
    std::atomic<bool> over_{false};
    std::thread thread_; // last: it uses all of the above
};

} // namespace urr::engines
