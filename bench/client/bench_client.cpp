// Asks the same requests over and over and prints one line of JSON.
//
//     bench_client PORT CONNECTIONS SECONDS REQUEST_FILE
//
// The file holds whole requests, separated by lines of "---"; connections take them in turn.
#include <cinttypes>
#include <fstream>

#include "bench/client/closed_loop.hpp"

namespace {

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

} // namespace

int main(int count, char** values) {
    if (count != 5) {
        std::fputs("usage: bench_client PORT CONNECTIONS SECONDS REQUEST_FILE\n", stderr);
        return 2;
    }
    bench::Connections connections(std::uint16_t(std::atoi(values[1])),
                                   std::size_t(std::atoi(values[2])));
    const auto duration_ns = std::int64_t(std::atof(values[3]) * 1e9);
    const std::vector<std::string> requests = read_requests(values[4]);
    std::size_t next = 0;
    const auto send_next = [&](bench::Connection& connection) {
        connections.send(connection, requests[next]);
        if (++next == requests.size()) next = 0;
    };
    std::int64_t good = 0, bad = 0;
    std::vector<std::uint32_t> latency_ns;
    latency_ns.reserve(4'000'000);
    for (bench::Connection& connection : connections.all()) send_next(connection);
    const std::int64_t began = bench::now_ns();
    std::int64_t now = began;
    while (now - began < duration_ns)
        now = connections.turn(
            [&](bench::Connection& connection, const bench::Answer& answer, std::int64_t at) {
                (answer.status / 100 == 2 ? good : bad) += 1;
                latency_ns.push_back(std::uint32_t(at - connection.sent_ns));
                send_next(connection);
            });
    std::printf("{\"rps\":%.0f,\"requests\":%" PRId64
                ",\"p50_us\":%.0f,\"p99_us\":%.0f,\"errors\":%" PRId64 "}\n",
                double(good) * 1e9 / double(now - began), good + bad,
                bench::percentile_us(latency_ns, 0.5), bench::percentile_us(latency_ns, 0.99), bad);
    return 0;
}
