// What the load clients share: connections on an epoll, one request under way on each, answers
// framed by Content-Length. Lean, so that the server is what limits: one clock reading a turn, no
// allocation, no parsing beyond status and length. A lost connection or a broken answer ends the
// program with a line on stderr: a measurement with errors is none. One thread.
#pragma once
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline std::int64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

[[noreturn]] inline void give_up(const char* what) {
    std::fprintf(stderr, "bench client: %s\n", what);
    std::exit(1);
}

struct Connection {
    int fd = -1;
    std::uint32_t number = 0;
    std::int64_t sent_ns = 0;
    std::string partial; // of an answer that came in pieces
};

// A whole answer, or nothing while it is not complete.
struct Answer {
    int status = 0;
    std::string_view body;
};
inline bool read_answer(std::string_view text, Answer& answer) {
    const auto* end = static_cast<const char*>(memmem(text.data(), text.size(), "\r\n\r\n", 4));
    if (!end || text.size() < 12) return false;
    const auto head = std::size_t(end - text.data());
    const auto* length =
        static_cast<const char*>(memmem(text.data(), head, "Content-Length: ", 16));
    const std::size_t bytes = length ? std::strtoul(length + 16, nullptr, 10) : 0;
    if (text.size() < head + 4 + bytes) return false;
    if (text.size() > head + 4 + bytes) give_up("more came than was asked for");
    answer.status = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
    answer.body = text.substr(head + 4, bytes);
    return true;
}

class Connections {
public:
    Connections(std::uint16_t port, std::size_t count) : all_(count), poll_(::epoll_create1(0)) {
        for (std::size_t i = 0; i < count; ++i) open(all_[i], port, std::uint32_t(i));
    }
    std::vector<Connection>& all() { return all_; }

    void send(Connection& connection, std::string_view request) {
        connection.sent_ns = turn_ns_;
        if (::send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
            ssize_t(request.size()))
            give_up("cannot send");
    }
    // Waits once and hands each complete answer to `take(connection, answer, now)`.
    template <class Take>
    std::int64_t turn(Take take) {
        epoll_event events[512];
        const int ready = ::epoll_wait(poll_, events, 512, 100);
        turn_ns_ = now_ns();
        for (int i = 0; i < ready; ++i) {
            auto& connection = *static_cast<Connection*>(events[i].data.ptr);
            const ssize_t n = ::recv(connection.fd, buffer_, sizeof buffer_, 0);
            if (n <= 0) give_up("the server closed a connection");
            std::string_view text(buffer_, std::size_t(n));
            if (!connection.partial.empty()) text = connection.partial.append(text);
            Answer answer;
            if (!read_answer(text, answer)) {
                if (connection.partial.empty()) connection.partial = text;
                continue;
            }
            take(connection, answer, turn_ns_);
            if (!connection.partial.empty()) connection.partial.clear();
        }
        return turn_ns_;
    }

private:
    void open(Connection& connection, std::uint16_t port, std::uint32_t number) {
        connection.number = number;
        connection.fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(connection.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            give_up("cannot connect");
        const int one = 1;
        ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &connection;
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.fd, &event);
    }

    std::vector<Connection> all_;
    int poll_;
    std::int64_t turn_ns_ = now_ns();
    char buffer_[65536];
};

// A percentile in microseconds; sorts what it is given.
inline double percentile_us(std::vector<std::uint32_t>& latency_ns, double part) {
    if (latency_ns.empty()) return 0;
    const auto at = std::size_t(double(latency_ns.size() - 1) * part);
    std::nth_element(latency_ns.begin(), latency_ns.begin() + long(at), latency_ns.end());
    return double(latency_ns[at]) / 1000;
}

} // namespace bench
