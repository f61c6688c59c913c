#include "apps/urr/port_probe.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace urr::app {

namespace {

using Found = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

struct Socket {
    int fd;
    explicit Socket(const addrinfo& of)
        : fd(::socket(of.ai_family, of.ai_socktype | SOCK_CLOEXEC, of.ai_protocol)) {}
    ~Socket() { ::close(fd); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
};

// 0, or why not.
int try_to_listen(const addrinfo& at) {
    const Socket socket(at);
    const int yes = 1;
    ::setsockopt(socket.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const bool listens =
        ::bind(socket.fd, at.ai_addr, at.ai_addrlen) == 0 && ::listen(socket.fd, 1) == 0;
    return listens ? 0 : errno;
}

std::string ask_health(const addrinfo& at) {
    const Socket socket(at);
    const timeval patience{1, 0};
    ::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(socket.fd, at.ai_addr, at.ai_addrlen) != 0) return {};
    constexpr std::string_view request =
        "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(socket.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
    std::string answer(4096, '\0');
    std::size_t filled = 0;
    while (filled < answer.size()) {
        const ssize_t n = ::recv(socket.fd, answer.data() + filled, answer.size() - filled, 0);
        if (n <= 0) break;
        filled += std::size_t(n);
    }
    answer.resize(filled);
    return answer;
}

} // namespace

PortState probe_port(const std::string& address, std::uint16_t port) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
    addrinfo* raw = nullptr;
    if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &raw) != 0)
        return PortState::unusable;
    const Found found(raw, &::freeaddrinfo);
    const int refused = try_to_listen(*found);
    if (refused == 0) return PortState::free;
    if (refused != EADDRINUSE) return PortState::unusable;
    const std::string answer = ask_health(*found);
    if (answer.find("\"service\":") != std::string::npos) return PortState::serving;
    return PortState::taken;
}

} // namespace urr::app
