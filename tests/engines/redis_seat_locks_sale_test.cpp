// Seat locks in the service: two processes of ticket on one store, with a Redis that comes and
// goes. Clicks at taken seats do not reach the store, and nobody is ever told anything that the
// store would not.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "libs/async/nursery.hpp"
#include "libs/security/mac.hpp"
#include "libs/sql/migrations.hpp"
#include "services/ticket/service.hpp"
#include "services/ticket/shared_seat_locks.hpp"
#include "services/ticket/store/schema.hpp"
#include "tests/engines/redis_server.hpp"

namespace urr::ticket {
namespace {

namespace fs = std::filesystem;

SystemRandom dice;
SilentLog silent;

constexpr auto make_event = [](Tx& tx, const Event& event) {
    return create_event(tx, event, Act{AccountId{}, MessageId{event.id.bytes}});
};
constexpr auto seats_work = [](Tx& tx, EventId id) { return seats_of_event(tx, id); };

// A store that counts its readings, and may keep them waiting.
struct Counted final : Database {
    Database& store;
    int reads = 0;
    bool is_slow = false;
    std::vector<Job*> waiting;
    explicit Counted(Database& of) : store(of) {}
    bool submit(Job& job, bool reading) override {
        reads += reading;
        if (!reading || !is_slow) return store.submit(job, reading);
        waiting.push_back(&job);
        return true;
    }
    void go_on() {
        is_slow = false;
        for (Job* job : std::exchange(waiting, {})) EXPECT_TRUE(store.submit(*job, true));
    }
    bool healthy() const override { return store.healthy(); }
    StoreCounters counters() const override { return store.counters(); }
};

// The store and the event that both processes sell.
struct Sale {
    fs::path folder = make_folder("locks");
    ManualClock clock{Instant{1'800'000'000'000'000}};
    RevokedEntries revoked;
    std::unique_ptr<SqliteDatabase> database;
    std::unique_ptr<Counted> counted;
    Event event;

    explicit Sale(std::int64_t seats) {
        SqliteOptions options;
        options.path = (folder / "ticket.db").string();
        options.clock = &clock;
        database = must(open_sqlite(options));
        must(migrate(*database, migrations));
        counted = std::make_unique<Counted>(*database);
        event.id = EventId::make(clock.now(), dice);
        event.sale_start = clock.now() - seconds(10);
        event.sale_end = clock.now() + hours(1000);
        event.published = true;
        event.layout = plain_layout(seats);
    }
    ~Sale() {
        database.reset();
        fs::remove_all(folder);
    }
    Task<> make() { must(co_await database->transact(Context{}, make_event, event)); }
    // Works that the store was given, committed or not.
    std::uint64_t works() const {
        const StoreCounters counters = database->counters();
        return counters.works + counters.rolled_back;
    }
    Task<std::vector<SeatRow>> rows() {
        co_return must(co_await database->read(Context{}, seats_work, event.id));
    }
};

struct Fan {
    Context context;
    Fan() { context.principal = who(); }
    static Principal who() {
        Principal fan;
        fan.account = AccountId::make(Instant{1'800'000'000'000'000}, dice);
        fan.verified = true;
        return fan;
    }
    IdempotencyKey key(const std::string& text, const std::string& body) const {
        IdempotencyKey key;
        key.account = context.principal.account;
        key.route = "reserve";
        key.key = text;
        key.body_sha256 = sha256(body);
        return key;
    }
};

struct Process {
    Sale& sale;
    std::unique_ptr<Redis> redis;
    SharedSeatLocks locks;
    Service tickets;
    Nursery jobs;

    Process(RunLoop& loop, const RedisServer& server, Sale& of)
        : sale(of), redis(must(connect_redis(loop, dice, server.options(), silent))), locks(*redis),
          tickets({*of.counted, of.clock, dice, of.revoked,
                   SigningKey::from_seed(TokenType::ticket, "t1", {}), rules(), nullptr, false,
                   &locks}) {
        jobs.spawn(locks.run());
    }
    static Rules rules() {
        Rules rules;
        rules.lapses_max = 1'000'000;
        return rules;
    }
    Task<Result<Reservation>> reserve(const Fan& fan, std::int64_t seat, std::string key) {
        std::vector<std::int64_t> seats{seat};
        return tickets.reserve(fan.context, sale.event.id, std::move(seats),
                               fan.key(key, std::to_string(seat)));
    }
    std::uint64_t refused_here() const { return tickets.metrics().locked.value(); }
    char letter(std::int64_t seat) const {
        return tickets.find(sale.event.id)->letters()[std::size_t(seat)];
    }
};

Task<> pass(Duration time) { (void)co_await sleep(Context{}, time); }
Task<> until(std::function<bool()> holds) {
    while (!holds()) co_await pass(milliseconds(2));
}

TEST(SeatLocksInASale, keep_clicks_at_taken_seats_from_the_store_in_every_process) {
    RedisServer server;
    Sale sale(20);
    on_loop([&](RunLoop& loop) -> Task<> {
        co_await sale.make();
        Process a(loop, server, sale), b(loop, server, sale);
        must(co_await a.tickets.open(Context{}));
        must(co_await b.tickets.open(Context{}));
        co_await until([&] { return a.redis->is_up() && b.redis->is_up(); });
        const Fan winner, loser;
        const Reservation first = must(co_await a.reserve(winner, 7, "one"));
        co_await until([&] { return b.letter(7) == 'h'; }); // heard, not read
        const std::uint64_t works = sale.works();
        for (Process* process : {&a, &b})
            for (int click = 0; click < 500; ++click) {
                const auto refused =
                    co_await process->reserve(loser, 7, "click" + std::to_string(click));
                EXPECT_EQ(refused.error().code(), Code::SEAT_TAKEN);
                EXPECT_EQ(refused.error().text(), "seats 7");
            }
        EXPECT_EQ(sale.works(), works);
        EXPECT_EQ(a.refused_here() + b.refused_here(), 1'000u);
        // Who has it gets his answer again, by whichever process, and so he does when it ended.
        EXPECT_EQ(must(co_await b.reserve(winner, 7, "one")).id, first.id);
        must(co_await b.tickets.cancel(winner.context, first.id));
        co_await until([&] { return a.letter(7) == 'a'; });
        must(co_await a.reserve(loser, 7, "at last"));
        co_await until([&] { return b.letter(7) == 'h'; });
        EXPECT_EQ(must(co_await b.reserve(winner, 7, "one")).id, first.id);
        EXPECT_EQ((co_await b.reserve(winner, 7, "two")).error().code(), Code::SEAT_TAKEN);
    });
}

// As after a backup was played back, or a standby that had not received all became the primary.
TEST(SeatLocksInASale, a_store_that_was_set_back_gives_its_seats_again) {
    RedisServer server;
    Sale sale(20);
    on_loop([&](RunLoop& loop) -> Task<> {
        co_await sale.make();
        Process a(loop, server, sale), b(loop, server, sale);
        must(co_await a.tickets.open(Context{}));
        must(co_await b.tickets.open(Context{}));
        co_await until([&] { return a.redis->is_up() && b.redis->is_up(); });
        const Fan first, second;
        must(co_await a.reserve(first, 7, "lost"));
        must(co_await a.reserve(first, 8, "kept"));
        co_await until([&] { return b.letter(7) == 'h' && b.letter(8) == 'h'; });
        must(sale.database->run_script("UPDATE seats SET state = 0, version = 1 WHERE seat = 7; "
                                       "DELETE FROM reservations WHERE seats = '7'"));
        for (Process* process : {&a, &b}) {
            must(co_await process->tickets.follow(Context{}));
            EXPECT_EQ(process->letter(7), 'a');
            EXPECT_EQ(process->letter(8), 'h');
            EXPECT_EQ(process->tickets.metrics().set_back.value(), 1u);
        }
        must(co_await b.reserve(second, 7, "again"));
        const Fan third;
        for (Process* process : {&a, &b})
            for (const std::int64_t seat : {7, 8}) {
                co_await until([&] { return process->letter(seat) == 'h'; });
                EXPECT_EQ((co_await process->reserve(third, seat, "late")).error().code(),
                          Code::SEAT_TAKEN);
            }
        for (Process* process : {&a, &b}) {
            must(co_await process->tickets.follow(Context{}));
            EXPECT_EQ(process->tickets.metrics().set_back.value(), 1u);
        }
    });
}

TEST(SeatLocksInASale, an_event_that_the_store_has_lost_is_not_shown_any_more) {
    RedisServer server;
    Sale sale(20);
    on_loop([&](RunLoop& loop) -> Task<> {
        co_await sale.make();
        Process process(loop, server, sale);
        must(co_await process.tickets.open(Context{}));
        const Fan fan;
        must(co_await process.reserve(fan, 7, "lost"));
        must(sale.database->run_script(
            "DELETE FROM seats; DELETE FROM events; DELETE FROM audit_log"));
        must(co_await process.tickets.follow(Context{}));
        EXPECT_EQ(process.tickets.find(sale.event.id), nullptr);
        EXPECT_EQ((co_await process.reserve(fan, 8, "none")).error().code(), Code::NOT_FOUND);
        co_await sale.make(); // and shown again with the store that has it
        must(co_await process.tickets.follow(Context{}));
        EXPECT_EQ(process.letter(7), 'a');
    });
}

// Seats that were held by somebody of whom no process heard.
TEST(SeatLocksInASale, a_herd_at_seats_that_are_gone_reads_the_map_twice_not_each_for_himself) {
    RedisServer server;
    Sale sale(300);
    on_loop([&](RunLoop& loop) -> Task<> {
        co_await sale.make();
        Process process(loop, server, sale);
        must(co_await process.tickets.open(Context{}));
        must(sale.database->run_script("UPDATE seats SET state = 1, version = 2, "
                                       "hold_until_us = 9000000000000000"));
        static constexpr auto click = [](Process& at, std::int64_t seat, int& refused) -> Task<> {
            const Fan fan;
            const auto held = co_await at.reserve(fan, seat, "k");
            refused += !held && held.error().code() == Code::SEAT_TAKEN;
        };
        sale.counted->reads = 0;
        sale.counted->is_slow = true;
        int refused = 0;
        Nursery herd;
        for (std::int64_t seat = 0; seat < 300; ++seat) herd.spawn(click(process, seat, refused));
        co_await until([&] { return process.tickets.metrics().taken.value() == 300; });
        sale.counted->go_on();
        must(co_await herd.drained(Context{}));
        EXPECT_EQ(refused, 300);
        EXPECT_LE(sale.counted->reads, 6); // each reading: the map, who held
    });
}

// Acts by a seed; each round ends with a look at what the store says.
struct Random {
    SeededRandom random;
    Sale sale{12};
    RedisServer server;
    std::vector<std::unique_ptr<Process>> processes;
    std::vector<Fan> fans = std::vector<Fan>(1);
    struct Success {
        std::size_t fan;
        std::int64_t seat;
        std::string key;
        ReservationId id;
    };
    std::vector<Success> successes;
    int keys = 0;
    bool is_killed = false, is_paused = false;

    explicit Random(std::uint64_t seed) : random(seed) {}
    Process& any() { return *processes[random.below(processes.size())]; }

    Task<> act() {
        if (random.chance(500)) fans.emplace_back(); // who comes for the first time
        const auto fan = std::size_t(random.below(fans.size()));
        const auto seat = std::int64_t(random.below(12));
        switch (random.below(10)) {
        case 0:
            if (!successes.empty()) co_await end_one();
            break;
        case 1:
            if (!successes.empty()) co_await repeat();
            break;
        case 2: // some holds run out
            sale.clock.advance(minutes(3));
            (void)must(co_await any().tickets.sweep(Context{}));
            break;
        case 3:
            co_await disturb();
            break;
        default:
            const std::string key = std::to_string(++keys);
            const auto held = co_await any().reserve(fans[fan], seat, key);
            if (held) successes.push_back({fan, seat, key, held->id});
        }
    }
    Task<> end_one() {
        const Success one = successes[random.below(successes.size())];
        Service& tickets = any().tickets;
        if (random.chance(500)) {
            (void)co_await tickets.cancel(fans[one.fan].context, one.id);
            co_return;
        }
        const auto begun = co_await tickets.begin(Context{}, one.id, PaymentId::make({}, dice));
        if (!begun) co_return;
        PaymentFailed failed;
        failed.order = OrderId{one.id.bytes};
        failed.fence = begun->fence;
        failed.declined = random.chance(500);
        Message message;
        message.id = MessageId::make({}, dice);
        message.type = PaymentFailed::type;
        message.data = to_json(failed);
        if (random.chance(700)) must(co_await any().tickets.consume(Context{}, message));
    }
    Task<> repeat() {
        const Success one = successes[random.below(successes.size())];
        Process& process = any();
        must(co_await process.tickets.follow(Context{})); // who held is told, or read
        const auto again = co_await process.reserve(fans[one.fan], one.seat, one.key);
        EXPECT_TRUE(again && again->id == one.id) << one.key << " of fan " << one.fan;
    }
    // Redis hangs, dies, and comes back as it was, without anything, or not yet.
    Task<> disturb() {
        if (is_killed) {
            if (random.chance(500)) server.forget_all();
            server.start();
            is_killed = false;
        } else if (is_paused) {
            server.pause(false);
            is_paused = false;
        } else if (random.chance(500)) {
            server.kill_nine();
            is_killed = true;
        } else {
            server.pause(true);
            is_paused = true;
        }
        co_await pass(milliseconds(std::int64_t(random.below(60))));
    }
    // After a look at the rows no free seat is refused by any process, whatever Redis did.
    Task<> check() {
        for (const auto& process : processes) must(co_await process->tickets.follow(Context{}));
        const auto rows = co_await sale.rows();
        for (std::size_t seat = 0; seat < rows.size(); ++seat) {
            if (rows[seat].state != SeatState::available) continue;
            const Fan fresh;
            const auto held = co_await any().reserve(fresh, std::int64_t(seat), "fresh");
            EXPECT_TRUE(held) << "seat " << seat << ": " << held.error().text();
            if (held) must(co_await any().tickets.cancel(fresh.context, held->id));
        }
    }
    Task<> run(RunLoop& loop) {
        co_await sale.make();
        for (int i = 0; i < 2; ++i) {
            processes.push_back(std::make_unique<Process>(loop, server, sale));
            must(co_await processes.back()->tickets.open(Context{}));
        }
        for (int round = 0; round < 40; ++round) {
            for (int i = 0; i < 12; ++i) co_await act();
            co_await check();
        }
        std::uint64_t refused = 0;
        for (const auto& process : processes) refused += process->refused_here();
        EXPECT_GT(refused, 0u);
        if (is_paused) server.pause(false);
        if (is_killed) server.start();
        processes.clear();
    }
};

TEST(SeatLocksInASale, never_refuse_a_free_seat_for_long_nor_a_repeat_whatever_redis_does) {
    const std::uint64_t seed = dice.next();
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random world(seed);
    on_loop([&](RunLoop& loop) { return world.run(loop); });
}

} // namespace
} // namespace urr::ticket
