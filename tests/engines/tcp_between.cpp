#include "tests/engines/tcp_between.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace urr::engines {

namespace {

constexpr int look_up_ms = 20; // at whether it is over

void need(bool good, const char* what) {
    if (good) return;
    std::perror(what);
    std::abort();
}

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

} // namespace

TcpBetween::TcpBetween(int server_port) : server_port_(server_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    need(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
    need(::listen(listener_, 64) == 0, "listen");
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

TcpBetween::~TcpBetween() {
    over_ = true;
    thread_.join();
    for (Pair& pair : pairs_) close_pair(pair, false);
    ::close(listener_);
}

void TcpBetween::accept_one() {
    Pair pair;
    pair.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (pair.client < 0) return;
    pair.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server_port_);
    if (::connect(pair.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        close_pair(pair, true);
    else
        pairs_.push_back(pair);
}

void TcpBetween::close_pair(Pair& pair, bool reset) {
    const linger at_once{1, 0};
    for (int* end : {&pair.client, &pair.server}) {
        if (*end < 0) continue;
        if (reset) ::setsockopt(*end, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        ::close(*end);
        *end = -1;
    }
}

// False: the connection is over.
bool TcpBetween::pass(int from, int to, Direction& direction) {
    std::array<char, 65536> bytes;
    const ssize_t came = ::recv(from, bytes.data(), bytes.size(), 0);
    if (direction.swallows) return came > 0; // its end is swallowed too
    if (came <= 0) return false;
    const std::int64_t left = direction.cut_behind;
    const std::int64_t passes = left < 0 ? came : std::min<std::int64_t>(came, left);
    direction.passed += passes; // before whoever gets them looks
    if (::send(to, bytes.data(), std::size_t(passes), MSG_NOSIGNAL) != passes) return false;
    if (left < 0) return true;
    direction.cut_behind = left - passes;
    if (passes == came) return true;
    direction.cut_behind = -1;
    ++cuts;
    return false;
}

void TcpBetween::run() {
    while (!over_) {
        std::vector<pollfd> wanted{{listener_, POLLIN, 0}};
        for (const Pair& pair : pairs_) {
            wanted.push_back({pair.client, POLLIN, 0});
            wanted.push_back({pair.server, POLLIN, 0});
        }
        ::poll(wanted.data(), nfds_t(wanted.size()), look_up_ms);
        for (std::size_t i = 0; i < pairs_.size(); ++i) {
            Pair& pair = pairs_[i];
            const bool from_client = wanted[1 + 2 * i].revents != 0;
            const bool from_server = wanted[2 + 2 * i].revents != 0;
            if (from_client && !pass(pair.client, pair.server, up)) {
                if (!up.swallows)
                    close_pair(pair, cuts % 2 == 1);
                else
                    ::close(std::exchange(pair.client, -1)); // the server does not hear of it
            }
            if (from_server && pair.server >= 0 && !pass(pair.server, pair.client, down))
                close_pair(pair, cuts % 2 == 1);
        }
        std::erase_if(pairs_, [](const Pair& pair) { return pair.server < 0; });
        if (wanted[0].revents) accept_one();
    }
}

} // namespace urr::engines
