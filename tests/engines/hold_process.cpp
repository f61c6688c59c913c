// A process of ticket, as far as holds go: its fans want seats of one event, one order after the
// other, and ask again by the key when nobody can say what became of an order.
//
//     hold_process EVENT SEATS WISHES FANS SEED CLOCK_AHEAD_MS HOLD_MS PAUSE_MS
//
// URR_TICKET_DATABASE_URL tells the store. Its wall clock is that much ahead; its fans pause after
// a refusal. Prints "held RESERVATION SEATS" for each hold, and "CODE COUNT" for each kind of
// refusal. Exits with 1 when an order had no answer in two minutes.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "libs/async/nursery.hpp"
#include "libs/core/clock.hpp"
#include "libs/core/must.hpp"
#include "libs/sql/postgres_database.hpp"
#include "services/ticket/holds.hpp"

namespace {

using namespace urr;

constexpr Duration patience = seconds(120), between_tries = milliseconds(50);

struct AheadClock final : Clock {
    SystemClock true_clock;
    Duration ahead;
    Instant now() const override { return true_clock.now() + ahead; }
    Instant steady() const override { return true_clock.steady(); }
};

struct Wanted {
    std::string url;
    EventId event;
    std::int64_t seats = 0, wishes = 0, fans = 0;
    Duration hold, pause;
};

struct Process {
    Wanted wanted;
    AheadClock clock;
    SeededRandom random;
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::map<Code, int> refusals{};
    std::int64_t begun = 0;
    int status = 0;

    ticket::HoldOrder order() {
        ticket::HoldOrder o;
        o.event = wanted.event;
        o.account = AccountId::make(clock.now(), random);
        const auto first = std::int64_t(random.below(std::uint64_t(wanted.seats)));
        o.seats = {first};
        if (first + 1 < wanted.seats && random.chance(500)) o.seats.push_back(first + 1);
        o.sale_end = never;
        o.rules.hold = wanted.hold;
        o.key = {o.account, "createReservation", o.account.text(), {}};
        return o;
    }
};

// As an HTTP request that is sent again: other ids are drawn for it, the key is the same.
Task<Result<ticket::Held>> ask(Process& p, ticket::Holds& holds, ticket::HoldOrder order) {
    const Instant end = p.loop->now() + patience;
    for (;;) {
        order.id = ReservationId::make(p.clock.now(), p.random);
        order.message = MessageId::make(p.clock.now(), p.random);
        auto held = co_await holds.hold(Context{}, order);
        if (held) co_return held;
        const Code code = held.error().code();
        const bool open = code == Code::OUTCOME_UNKNOWN || code == Code::UNAVAILABLE;
        if (!open || p.loop->now() > end) co_return held;
        ++p.refusals[code];
        (void)co_await sleep(Context{}, between_tries);
    }
}

Task<> fan(Process& p, ticket::Holds& holds) {
    while (p.begun < p.wanted.wishes) {
        ++p.begun;
        const auto held = co_await ask(p, holds, p.order());
        if (held) {
            std::printf("held %s %s\n", held->reservation.id.text().c_str(),
                        ticket::seats_text(held->reservation.seats).c_str());
            std::fflush(stdout);
            continue;
        }
        const Code code = held.error().code();
        if (code == Code::OUTCOME_UNKNOWN || code == Code::UNAVAILABLE) p.status = 1;
        ++p.refusals[code];
        if (p.wanted.pause.us > 0) (void)co_await sleep(Context{}, p.wanted.pause);
    }
}

Task<> live(Process& p, ticket::Holds& holds) {
    Nursery fans;
    for (std::int64_t i = 0; i < p.wanted.fans; ++i) fans.spawn(fan(p, holds));
    must(co_await fans.drained(Context{}));
    p.loop->stop();
}

} // namespace

int main(int count, char** words) {
    const char* url = std::getenv("URR_TICKET_DATABASE_URL");
    if (count != 9 || !url) {
        std::fputs("hold_process: see the head of tests/engines/hold_process.cpp\n", stderr);
        return 2;
    }
    const auto number = [words](int at) { return std::int64_t(std::atoll(words[at])); };
    Process p{{url, *EventId::parse(words[1]), number(2), number(3), number(4),
               milliseconds(number(7)), milliseconds(number(8))},
              {},
              SeededRandom(std::uint64_t(number(5)))};
    p.clock.ahead = milliseconds(number(6));
    PostgresOptions options;
    options.url = p.wanted.url;
    options.random = &p.random;
    const auto database = must(open_postgres(options, *p.loop));
    ticket::Holds holds(*database);
    Nursery nursery;
    Loop::Enter in(p.loop.get());
    nursery.spawn(live(p, holds));
    p.loop->run();
    for (const auto& [code, times] : p.refusals) std::printf("%s %d\n", name(code).data(), times);
    return p.status;
}
