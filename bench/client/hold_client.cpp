// Holds seats of one event on PostgreSQL, driven below HTTP as ticket does it; prints a line of
// JSON.
//
//     hold_client prepare URL                                            makes ticket's tables
//     hold_client hold URL EVENT SEATS PODS IN_FLIGHT SECONDS            one seat a hold, each once
//     hold_client lose URL EVENT SEATS PODS IN_FLIGHT SECONDS            of an event that is sold
//     out
//
// A pod is a loop of its own with its own connections, as a process of ticket has; its fans ask one
// after the other, each for a new account. Pods take every PODS-th seat, in an order of their own.
// What remains when the seats or the seconds are over is not counted.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <thread>

#include "libs/async/nursery.hpp"
#include "libs/core/must.hpp"
#include "libs/sql/postgres_database.hpp"
#include "libs/sql/postgres_migrations.hpp"
#include "services/ticket/holds.hpp"
#include "services/ticket/store/schema.hpp"

namespace {

using namespace urr;

struct Wanted {
    std::string url;
    EventId event;
    std::int64_t seats = 0;
    int pods = 1, in_flight = 32;
    Duration duration;
    Code expected = Code::OUTCOME_UNKNOWN; // of a refusal; OUTCOME_UNKNOWN: the hold succeeds
};

struct Pod {
    const Wanted& wanted;
    const int number;
    std::latch& ready;
    SystemClock clock{};
    SystemRandom random{};
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::vector<std::int64_t> seats{};
    std::size_t next_seat = 0;
    std::vector<std::uint32_t> latency_us{};
    Instant began{}, ended{};
    bool over = false;

    ticket::HoldOrder order() {
        ticket::HoldOrder o;
        o.id = ReservationId::make(clock.now(), random);
        o.message = MessageId::make(clock.now(), random);
        o.event = wanted.event;
        o.account = AccountId::make(clock.now(), random);
        o.seats = {seats[next_seat]};
        o.amount = Won{100'000};
        o.sale_start = clock.now() - hours(1);
        o.sale_end = clock.now() + hours(1);
        o.key = {o.account, "createReservation", o.id.text(), {}};
        next_seat = next_seat + 1;
        if (wanted.expected != Code::OUTCOME_UNKNOWN) next_seat %= seats.size();
        return o;
    }
};

Task<> fan(Pod& pod, ticket::Holds& holds) {
    while (!pod.over && pod.next_seat < pod.seats.size()) {
        const Instant asked = pod.loop->now();
        const auto held = co_await holds.hold(Context{}, pod.order());
        const Code end = held ? Code::OUTCOME_UNKNOWN : held.error().code();
        if (end != pod.wanted.expected) {
            std::fprintf(stderr, "hold_client: a hold ended with %s\n", name(end).data());
            std::exit(1);
        }
        if (pod.over) co_return;
        pod.ended = pod.loop->now();
        pod.latency_us.push_back(std::uint32_t((pod.ended - asked).us));
    }
    pod.over = true;
}

constexpr Statement nothing{"SELECT 1"};
constexpr auto look = [](Tx& tx) -> Task<Result<bool>> {
    TRY(co_await tx.run(nothing));
    co_return true;
};

Task<> run(Pod& pod, Database& database) {
    Context patience;
    patience.deadline = pod.loop->now() + seconds(10);
    while (!co_await database.transact(patience, look))
        must(co_await sleep(patience, milliseconds(20)));
    pod.ready.arrive_and_wait(); // all begin together
    ticket::Holds holds(database);
    Nursery fans;
    pod.began = pod.ended = pod.loop->now();
    for (int i = 0; i < pod.wanted.in_flight / pod.wanted.pods; ++i) fans.spawn(fan(pod, holds));
    Context until;
    until.deadline = pod.began + pod.wanted.duration;
    (void)co_await fans.drained(until);
    pod.over = true;
    must(co_await fans.drained(Context{}));
    pod.loop->stop();
}

void live(Pod& pod) {
    for (std::int64_t seat = pod.number; seat < pod.wanted.seats; seat += pod.wanted.pods)
        pod.seats.push_back(seat);
    SeededRandom order(7);
    for (std::size_t i = pod.seats.size(); i > 1; --i)
        std::swap(pod.seats[i - 1], pod.seats[order.below(i)]);
    PostgresOptions options;
    options.url = pod.wanted.url;
    options.random = &pod.random;
    const auto database = must(open_postgres(options, *pod.loop));
    Loop::Enter in(pod.loop.get());
    Nursery nursery;
    nursery.spawn(run(pod, *database));
    pod.loop->run();
}

std::uint32_t percentile(const std::vector<std::uint32_t>& sorted, double share) {
    return sorted.empty() ? 0 : sorted[std::size_t(double(sorted.size() - 1) * share)];
}

int hold(const Wanted& wanted) {
    std::latch ready(wanted.pods);
    std::vector<std::unique_ptr<Pod>> pods;
    for (int i = 0; i < wanted.pods; ++i)
        pods.push_back(std::unique_ptr<Pod>(new Pod{wanted, i, ready}));
    std::vector<std::thread> threads;
    for (const auto& pod : pods) threads.emplace_back([&pod] { live(*pod); });
    for (std::thread& thread : threads) thread.join();
    double rate = 0;
    std::vector<std::uint32_t> all;
    for (const auto& pod : pods) {
        const auto span = double((pod->ended - pod->began).us);
        if (span > 0) rate += double(pod->latency_us.size()) * 1e6 / span;
        all.insert(all.end(), pod->latency_us.begin(), pod->latency_us.end());
    }
    std::ranges::sort(all);
    std::printf("{\"rps\":%.0f,\"requests\":%zu,\"p50_us\":%" PRIu32 ",\"p99_us\":%" PRIu32 "}\n",
                rate, all.size(), percentile(all, 0.5), percentile(all, 0.99));
    return 0;
}

} // namespace

int main(int count, char** given) {
    const std::vector<std::string> arguments(given + 1, given + count);
    if (arguments.size() == 2 && arguments[0] == "prepare") {
        must(migrate_postgres(arguments[1], ticket::migrations, {}));
        return 0;
    }
    const bool loses = !arguments.empty() && arguments[0] == "lose";
    const auto event = arguments.size() == 7 ? EventId::parse(arguments[2]) : std::nullopt;
    if (!event || (!loses && arguments[0] != "hold")) {
        std::fprintf(stderr, "hold_client: see the head of bench/client/hold_client.cpp\n");
        return 2;
    }
    return hold({arguments[1], *event, std::atoll(arguments[3].c_str()),
                 std::atoi(arguments[4].c_str()), std::atoi(arguments[5].c_str()),
                 milliseconds(std::int64_t(std::atof(arguments[6].c_str()) * 1e3)),
                 loses ? Code::SEAT_TAKEN : Code::OUTCOME_UNKNOWN});
}
