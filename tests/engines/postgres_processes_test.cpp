// Three processes of ticket on one PostgreSQL, whose wall clocks differ by four seconds, sell the
// seats of one event while the server restarts, stands still, or changes its time: what each told
// its fans is what the store has, and no two holds of a seat overlap in the store's time.
#include <signal.h>

#include <array>
#include <fstream>
#include <map>
#include <thread>

#include "services/ticket/store/events.hpp"
#include "services/ticket/store/reservations.hpp"
#include "services/ticket/store/reservations_audit.hpp"
#include "services/ticket/store/schema.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

namespace fs = std::filesystem;

constexpr int processes = 3;
constexpr auto create = [](Tx& tx, const ticket::Event& event) {
    return ticket::create_event(tx, event, {{}, MessageId{event.id.bytes}});
};
constexpr Statement all_reservations{
    "SELECT id, seats, created_us, expires_us FROM reservations ORDER BY created_us"};
constexpr auto reservations_work = [](Tx& tx) -> Task<Result<Rows>> {
    co_return TRY(co_await tx.run(all_reservations));
};

struct Sale {
    std::int64_t seats = 100, wishes_each = 3'334, fans_each = 150;
    int hold_ms = 300'000, pause_ms = 0;
};

struct Processes : testing::Test {
    const PostgresServer& server = PostgresServer::get();
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(20));
    TestStore store{TestStore::Kind::postgres, *loop, ticket::migrations};
    SystemRandom random;
    EventId event = EventId::make(SystemClock().now(), random);
    fs::path folder = fs::temp_directory_path() / ("urr_" + store.database_name());
    std::vector<std::thread> running;
    std::array<int, processes> statuses{};
    std::map<std::string, std::string> held; // reservation → seats, as the fans were told
    std::map<std::string, int> ends;         // refusals, by code

    Processes() { fs::create_directories(folder); }
    ~Processes() override {
        store.close_pools();
        fs::remove_all(folder);
    }

    fs::path output(int number) const { return folder / std::to_string(number); }
    void start(const Sale& sale) {
        ticket::Event made;
        made.id = event;
        made.layout = ticket::plain_layout(sale.seats);
        static constexpr auto prepare = [](Processes& in, ticket::Event what) -> Task<> {
            must(co_await in.store.pool().transact(Context{}, create, what));
        };
        run_on(*loop, prepare(*this, made));
        const std::uint64_t seed = random.below(1'000'000);
        RecordProperty("seed", std::to_string(seed));
        ::setenv("URR_TICKET_DATABASE_URL", store.options.url.c_str(), 1);
        for (int i = 0; i < processes; ++i) {
            std::string line = HOLD_PROCESS " " + event.text();
            for (const std::int64_t word :
                 {sale.seats, sale.wishes_each, sale.fans_each, std::int64_t(seed) + i,
                  std::int64_t(i - 1) * 2'000, std::int64_t(sale.hold_ms),
                  std::int64_t(sale.pause_ms)})
                line += " " + std::to_string(word);
            line += " >'" + output(i).string() + "'";
            running.emplace_back(
                [this, i, line] { statuses[std::size_t(i)] = std::system(line.c_str()); });
        }
    }
    std::size_t told() const {
        std::size_t all = 0;
        for (int i = 0; i < processes; ++i)
            all += fs::exists(output(i)) ? std::size_t(fs::file_size(output(i))) : 0;
        return all;
    }
    // Until every process has sold something more.
    void wait_for_more() const {
        const std::size_t before = told();
        for (int i = 0; i < 12'000 && told() < before + 3'000; ++i) // two minutes
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        EXPECT_GE(told(), before + 3'000) << "they do not sell";
    }
    void wait_for_the_end() {
        for (std::thread& thread : running) thread.join();
        for (int i = 0; i < processes; ++i) {
            EXPECT_EQ(statuses[std::size_t(i)], 0);
            std::ifstream lines(output(i));
            for (std::string word, what; lines >> word >> what;) {
                if (word != "held") ends[word] += std::atoi(what.c_str());
                if (word == "held") EXPECT_TRUE(lines >> held[what]);
            }
        }
    }
    // What the store has is what was told, and no two holds of a seat overlap.
    void check(const Sale& sale);
};

Task<> look(Processes& t, Rows& rows) {
    EXPECT_EQ(must(co_await t.store.pool().read(Context{}, ticket::audit)), "");
    rows = must(co_await t.store.pool().read(Context{}, reservations_work));
}

void Processes::check(const Sale& sale) {
    Rows rows;
    run_on(*loop, look(*this, rows));
    EXPECT_EQ(rows.size(), held.size());
    std::map<std::string, Instant> free_again; // by seat
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string id = rows.id<ReservationId>(i, 0).text();
        const std::string seats(rows.text(i, 1));
        const Instant created = rows.instant(i, 2), expires = rows.instant(i, 3);
        EXPECT_EQ(held[id], seats);
        EXPECT_EQ(expires - created, milliseconds(sale.hold_ms));
        for (const std::int64_t number : ticket::seats_of_text(seats)) {
            Instant& until = free_again[std::to_string(number)];
            EXPECT_GE(created, until) << "seat " << number << " was held twice at once";
            until = expires;
        }
    }
    EXPECT_EQ(std::int64_t(held.size()) + ends["SEAT_TAKEN"], processes * sale.wishes_each);
}

TEST_F(Processes, of_ten_thousand_wishes_for_the_same_seats_sell_none_twice) {
    const Sale sale;
    start(sale);
    wait_for_the_end();
    check(sale);
    EXPECT_GT(held.size(), 50u);
    EXPECT_LE(held.size(), std::size_t(sale.seats));
}

TEST_F(Processes, whose_clocks_differ_hold_seats_for_as_long_as_they_say) {
    const Sale sale{
        .seats = 40, .wishes_each = 2'000, .fans_each = 20, .hold_ms = 400, .pause_ms = 20};
    start(sale);
    wait_for_the_end();
    check(sale);
    EXPECT_GT(held.size(), 80u) << "no seat was held again";
}

constexpr Sale large{.seats = 20'000, .wishes_each = 3'334, .fans_each = 30};

TEST_F(Processes, go_on_when_the_server_was_restarted_amid_their_batches) {
    start(large);
    for (int times = 0; times < 2; ++times) {
        wait_for_more();
        server.script("restart");
    }
    wait_for_the_end();
    check(large);
    EXPECT_GT(ends["UNAVAILABLE"] + ends["OUTCOME_UNKNOWN"], 0) << "nobody met it";
}

TEST_F(Processes, go_on_when_the_server_stood_still_for_thirty_seconds) {
    start(large);
    wait_for_more();
    const auto stopped = server.processes();
    for (const pid_t process : stopped) ::kill(process, SIGSTOP);
    std::this_thread::sleep_for(std::chrono::seconds(30));
    for (const pid_t process : stopped) ::kill(process, SIGCONT);
    wait_for_the_end();
    check(large);
    EXPECT_GT(ends["UNAVAILABLE"] + ends["OUTCOME_UNKNOWN"], 0) << "nobody met it";
}

} // namespace
} // namespace urr::engines
