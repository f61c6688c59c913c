// Buys seats of an event, one order a seat: hold, then payment, on so many connections at once.
// Prints "begin" before the first hold, and one line of JSON when the last payment is acknowledged.
//
//     order_client PORT CONNECTIONS DATA_FOLDER EVENT SEATS [FIRST_SEAT]
//
// Accounts are made here: an access and an entry token each, signed with the installation's keys,
// as auth and queue would. An account buys four seats, as many as a person may. As every buyer
// does, each looks at the seat map first, which shows both its tokens; the clock starts with the
// first hold.
#include "apps/urr/keys.hpp"
#include "bench/client/closed_loop.hpp"
#include "libs/core/clock.hpp"
#include "libs/core/must.hpp"

namespace {

using namespace urr;

constexpr std::size_t seats_each = 4;

// The headers of an account's requests.
std::string headers_of(const SigningKey& access, const SigningKey& entry, const EventId& event,
                       Random& random, const Clock& clock) {
    Claims claims;
    claims.type = TokenType::access;
    claims.subject = AccountId::make(clock.now(), random);
    claims.id = make_id_bytes(clock.now(), random);
    claims.issued = clock.now();
    claims.expires = claims.issued + minutes(9);
    claims.email_verified = true;
    claims.role = Role::user;
    std::string headers = "Host: x\r\nContent-Type: application/json\r\nAuthorization: Bearer " +
                          sign_token(access, claims) + "\r\n";
    claims.type = TokenType::entry;
    claims.event = event;
    claims.id = make_id_bytes(clock.now(), random);
    return headers + "x-queue-entry-token: " + sign_token(entry, claims) + "\r\n";
}

std::string post(std::string_view path, const std::string& headers, std::string_view key,
                 std::string_view body) {
    std::string request = "POST ";
    request.append(path).append(" HTTP/1.1\r\n").append(headers);
    request.append("Idempotency-Key: ").append(key).append("\r\nContent-Length: ");
    request.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    return request;
}

std::string_view id_in(std::string_view body) {
    const std::size_t at = body.find("\"id\":\"");
    if (at == std::string_view::npos) bench::give_up("an answer without an id");
    return body.substr(at + 6, 36);
}

void look_at_map(bench::Connections& connections, const std::vector<std::string>& accounts,
                 const EventId& event) {
    std::size_t next = 0, seen = 0;
    const auto look = [&](bench::Connection& connection) {
        if (next == accounts.size()) return;
        connections.send(connection, "GET /api/v1/seats/" + event.text() + " HTTP/1.1\r\n" +
                                         accounts[next++] + "\r\n");
    };
    for (bench::Connection& connection : connections.all()) look(connection);
    while (seen < accounts.size())
        connections.turn(
            [&](bench::Connection& connection, const bench::Answer& answer, std::int64_t) {
                if (answer.status != 200) bench::give_up(std::string(answer.body).c_str());
                ++seen;
                look(connection);
            });
}

} // namespace

int main(int count, char** values) {
    if (count != 6 && count != 7) {
        std::fputs("usage: order_client PORT CONNECTIONS DATA_FOLDER EVENT SEATS [FIRST_SEAT]\n",
                   stderr);
        return 2;
    }
    const std::string folder = values[3];
    const EventId event = *EventId::parse(values[4]);
    const auto seats = std::size_t(std::atoll(values[5]));
    const auto first = std::size_t(count == 7 ? std::atoll(values[6]) : 0);
    const SigningKey access = must(app::signing_key(folder, TokenType::access));
    const SigningKey entry = must(app::signing_key(folder, TokenType::entry));
    SystemRandom random;
    SystemClock clock;
    std::vector<std::string> accounts;
    for (std::size_t i = 0; i * seats_each < seats; ++i)
        accounts.push_back(headers_of(access, entry, event, random, clock));

    bench::Connections connections(std::uint16_t(std::atoi(values[1])),
                                   std::min(seats, std::size_t(std::atoi(values[2]))));
    std::vector<std::size_t> seat_of(connections.all().size());
    std::vector<bool> paying(connections.all().size());
    std::size_t next = 0, paid = 0;
    // Strided, so that the four orders of an account do not come one after the other.
    const auto account_of = [&](std::size_t seat) { return seat % accounts.size(); };
    const auto hold_next = [&](bench::Connection& connection) {
        if (next == seats) return;
        const std::size_t seat = seat_of[connection.number] = next++;
        paying[connection.number] = false;
        const std::string body = "{\"eventId\":\"" + event.text() + "\",\"seats\":[" +
                                 std::to_string(first + seat) + "]}";
        connections.send(connection, post("/api/v1/reservations", accounts[account_of(seat)],
                                          "h" + std::to_string(seat), body));
    };
    look_at_map(connections, accounts, event);
    std::vector<std::uint32_t> hold_ns, pay_ns;
    std::puts("begin");
    std::fflush(stdout);
    const std::int64_t began = bench::now_ns();
    for (bench::Connection& connection : connections.all()) hold_next(connection);
    while (paid < seats)
        connections.turn(
            [&](bench::Connection& connection, const bench::Answer& answer, std::int64_t at) {
                if (answer.status / 100 != 2) bench::give_up(std::string(answer.body).c_str());
                const auto took = std::uint32_t(at - connection.sent_ns);
                const std::size_t seat = seat_of[connection.number];
                if (paying[connection.number]) {
                    pay_ns.push_back(took);
                    ++paid;
                    return hold_next(connection);
                }
                hold_ns.push_back(took);
                paying[connection.number] = true;
                std::string path = "/api/v1/payments/";
                path.append(id_in(answer.body)).append("/confirm");
                connections.send(connection,
                                 post(path, accounts[account_of(seat)], "p" + std::to_string(seat),
                                      R"({"cardNumber":"4242424242424242"})"));
            });
    std::printf("{\"orders\":%zu,\"seconds\":%.3f,\"hold_p50_us\":%.0f,\"hold_p99_us\":%.0f,"
                "\"pay_p50_us\":%.0f,\"pay_p99_us\":%.0f}\n",
                seats, double(bench::now_ns() - began) / 1e9, bench::percentile_us(hold_ns, 0.5),
                bench::percentile_us(hold_ns, 0.99), bench::percentile_us(pay_ns, 0.5),
                bench::percentile_us(pay_ns, 0.99));
    return 0;
}
