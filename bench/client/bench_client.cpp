// A closed-loop load client: epoll, one request under way per connection, answers framed by
// Content-Length. Prints one line of JSON.
//
//     bench_client PORT CONNECTIONS SECONDS REQUEST_FILE
//
// The file holds whole requests, separated by lines of "---"; connections take them in turn.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

namespace {

std::int64_t now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

struct Client {
    int fd = -1;
    std::int64_t sent_ns = 0;
    std::string partial;
};

struct Tally {
    std::int64_t good = 0, bad = 0;
    std::vector<std::uint32_t> latency_ns;
};

std::vector<std::string> read_requests(const char* path) {
    std::ifstream file(path);
    std::vector<std::string> requests(1);
    std::string line;
    while (std::getline(file, line)) {
        if (line == "---")
            requests.emplace_back();
        else
            requests.back() += line + "\r\n";
    }
    return requests;
}

int open_connection(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
        std::perror("connect");
        std::exit(1);
    }
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

// Bytes of the first answer in `text`, or 0 while it is not complete.
std::size_t answer_bytes(std::string_view text) {
    const std::size_t head = text.find("\r\n\r\n");
    if (head == std::string_view::npos) return 0;
    const std::size_t at = text.find("Content-Length: ");
    const std::size_t body = at < head ? std::strtoul(text.data() + at + 16, nullptr, 10) : 0;
    return text.size() >= head + 4 + body ? head + 4 + body : 0;
}

} // namespace

int main(int count, char** values) {
    if (count != 5) {
        std::fputs("usage: bench_client PORT CONNECTIONS SECONDS REQUEST_FILE\n", stderr);
        return 2;
    }
    const auto port = std::uint16_t(std::atoi(values[1]));
    std::vector<Client> clients(std::size_t(std::atoi(values[2])));
    const std::int64_t duration_ns = std::int64_t(std::atof(values[3]) * 1e9);
    const std::vector<std::string> requests = read_requests(values[4]);
    std::size_t next = 0;
    const int poll = ::epoll_create1(0);
    const auto send_next = [&](Client& client) {
        const std::string& request = requests[next++ % requests.size()];
        client.sent_ns = now_ns();
        if (::send(client.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) std::exit(1);
    };
    for (Client& client : clients) client.fd = open_connection(port);
    for (Client& client : clients) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &client;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, client.fd, &event);
        send_next(client);
    }
    Tally tally;
    tally.latency_ns.reserve(4'000'000);
    const std::int64_t began = now_ns();
    std::int64_t now = began;
    epoll_event events[512];
    char buffer[65536];
    while (now - began < duration_ns) {
        const int ready = ::epoll_wait(poll, events, 512, 100);
        now = now_ns();
        for (int i = 0; i < ready; ++i) {
            Client& client = *static_cast<Client*>(events[i].data.ptr);
            const ssize_t n = ::recv(client.fd, buffer, sizeof buffer, 0);
            if (n <= 0) return std::fputs("the server closed a connection\n", stderr), 1;
            std::string_view text(buffer, std::size_t(n));
            if (!client.partial.empty()) text = client.partial.append(text);
            if (answer_bytes(text) == 0) {
                if (client.partial.empty()) client.partial = text;
                continue;
            }
            (text[9] == '2' ? tally.good : tally.bad) += 1;
            tally.latency_ns.push_back(std::uint32_t(now - client.sent_ns));
            client.partial.clear();
            send_next(client);
        }
    }
    std::sort(tally.latency_ns.begin(), tally.latency_ns.end());
    const auto at = [&](double part) {
        const auto& all = tally.latency_ns;
        return all.empty() ? 0.0 : double(all[std::size_t(double(all.size() - 1) * part)]) / 1000;
    };
    std::printf("{\"rps\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"errors\":%lld}\n",
                double(tally.good) * 1e9 / double(now - began), at(0.5), at(0.99),
                static_cast<long long>(tally.bad));
    return 0;
}
