// An event's seats are made by one statement, however many they are.
#include <map>

#include "services/ticket/store/events.hpp"
#include "services/ticket/store/schema.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

constexpr auto create = [](Tx& tx, const ticket::Event& event) {
    return ticket::create_event(tx, event, ticket::Act{AccountId{}, MessageId{event.id.bytes}});
};
constexpr auto change = [](Tx& tx, const ticket::Event& event, MessageId line) {
    return ticket::change_event(tx, event, ticket::Act{AccountId{}, line});
};
constexpr auto seats = [](Tx& tx, EventId event) { return ticket::seats_of_event(tx, event); };

struct EventSeats : testing::TestWithParam<TestStore::Kind> {
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(GetParam(), *loop, ticket::migrations);
    ~EventSeats() override { store.reset(); }
};

Task<> expect_seats(Database& database, const ticket::Event& event) {
    const std::string uses = ticket::seat_uses(event.layout);
    const auto rows = must(co_await database.read(Context{}, seats, event.id));
    EXPECT_EQ(rows.size(), uses.size());
    std::map<ticket::SeatState, std::int64_t> states, wanted;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        ++states[rows[i].state];
        ++wanted[uses[i] == 'b' ? ticket::SeatState::blocked : ticket::SeatState::available];
        if (rows[i].state == ticket::SeatState::blocked) EXPECT_EQ(uses[i], 'b') << "seat " << i;
    }
    EXPECT_EQ(states, wanted);
}

// A statement may take five seconds; one for each blocked seat took minutes together.
Task<> make_and_change(Database& database) {
    SystemClock clock;
    SeededRandom random(5);
    ticket::Event event;
    event.id = EventId::make(clock.now(), random);
    event.layout = *ticket::layout_template("stadium");
    for (ticket::Section& section : event.layout.sections)
        for (std::int32_t seat = 0; seat < 9; seat += 2) section.blocked.push_back(seat);
    must(co_await database.transact(Context{}, create, event));
    co_await expect_seats(database, event);
    event.layout.sections[0].blocked = {1};
    must(
        co_await database.transact(Context{}, change, event, MessageId::make(clock.now(), random)));
    co_await expect_seats(database, event);
}

TEST_P(EventSeats, of_a_stadium_are_made_and_made_anew) {
    run_on(*loop, make_and_change(store->pool()));
}

INSTANTIATE_TEST_SUITE_P(Engines, EventSeats, both_kinds, kind_name);

} // namespace
} // namespace urr::engines
