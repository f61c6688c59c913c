// An event's poster in its row, on either engine; and the version before, beside this one.
#include "services/ticket/store/events.hpp"
#include "services/ticket/store/schema.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

constexpr auto create = [](Tx& tx, const ticket::Event& event) {
    return ticket::create_event(tx, event, ticket::Act{AccountId{}, MessageId{event.id.bytes}});
};
constexpr auto change = [](Tx& tx, EventId event, const std::string& file, MessageId line) {
    return ticket::change_poster(tx, event, file, ticket::Act{AccountId{}, line});
};
constexpr auto find = [](Tx& tx, EventId event) { return ticket::find_event(tx, event); };
constexpr auto audit = [](Tx& tx) {
    return ticket::audit_lines(tx, Page{.before = IdBytes{0xff}, .limit = 20});
};
constexpr auto edit = [](Tx& tx, const ticket::Event& event, MessageId line) {
    return ticket::change_event(tx, event, ticket::Act{AccountId{}, line});
};

struct Posters : testing::TestWithParam<TestStore::Kind> {
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(GetParam(), *loop, ticket::migrations);
    SystemClock clock;
    SeededRandom random{5};
    ~Posters() override { store.reset(); }

    int lines = 0; // the log is in the order of their ids
    MessageId line() { return MessageId::make(clock.now() + milliseconds(++lines), random); }
    Task<ticket::Event> event() {
        ticket::Event event;
        event.id = EventId::make(clock.now(), random);
        event.title = "Night";
        event.published = true;
        event.layout = *ticket::layout_template("hall");
        must(co_await store->pool().transact(Context{}, create, event));
        co_return event;
    }
};

Task<> changes(Posters& t) {
    Database& database = t.store->pool();
    const ticket::Event event = co_await t.event();
    auto done = must(co_await database.transact(Context{}, change, event.id, "a.jpg", t.line()));
    EXPECT_TRUE(done.version == 2 && done.replaced.empty());
    done = must(co_await database.transact(Context{}, change, event.id, "b.png", t.line()));
    EXPECT_TRUE(done.version == 3 && done.replaced == "a.jpg");
    done = must(co_await database.transact(Context{}, change, event.id, "b.png", t.line()));
    EXPECT_TRUE(done.version == 3 && done.replaced.empty()) << "the same again changes nothing";
    done = must(co_await database.transact(Context{}, change, event.id, "", t.line()));
    EXPECT_TRUE(done.version == 4 && done.replaced == "b.png");
    const auto lines = must(co_await database.read(Context{}, audit));
    std::string acts;
    for (const ticket::AuditLine& each : lines) acts += each.act + " " + each.detail + "|";
    EXPECT_EQ(acts, "poster.remove b.png|poster.change b.png|poster.change a.jpg|"
                    "event.create Night|");
    const auto unknown = co_await database.transact(Context{}, change, EventId{}, "a", t.line());
    EXPECT_EQ(unknown.error().code(), Code::NOT_FOUND);
}
TEST_P(Posters, stand_in_the_events_row_and_each_act_in_the_log) { run_on(*loop, changes(*this)); }

// What the program before this one does: its statements do not know of posters.
constexpr Statement insert_as_before{
    "INSERT INTO events (id, title, artist, venue, address, description, event_us, sale_start_us, "
    "sale_end_us, published, room, seats_per_person, hold_us, layout, grades, price_min, "
    "price_max, sellable, version, created_us) VALUES (?1, 'Old', '', '', '', '', 0, 0, 1, 1, 1, "
    "4, 0, '{}', '[]', 0, 0, 0, 1, 0)"};
constexpr Statement read_as_before{
    "SELECT id, title, artist, venue, address, description, event_us, sale_start_us, sale_end_us, "
    "room, seats_per_person, grades, price_min, price_max, sellable FROM catalog_events_v1 "
    "ORDER BY id DESC LIMIT ?1"};
constexpr Statement read_now{"SELECT poster FROM catalog_events_v2 ORDER BY id DESC LIMIT ?1"};
constexpr auto insert_before = [](Tx& tx, EventId id) -> Task<Result<bool>> {
    TRY(co_await tx.run(insert_as_before, {id}));
    co_return true;
};
constexpr auto views = [](Tx& tx) -> Task<Result<std::string>> {
    const Rows before = TRY(co_await tx.run(read_as_before, {10}));
    const Rows now = TRY(co_await tx.run(read_now, {10}));
    std::string text = std::to_string(before.size());
    for (std::size_t i = 0; i < now.size(); ++i) text += "|" + std::string(now.text(i, 0));
    co_return text;
};

Task<> beside(Posters& t) {
    Database& database = t.store->pool();
    ticket::Event event = co_await t.event();
    must(co_await database.transact(Context{}, change, event.id, "a.jpg", t.line()));
    must(co_await database.transact(Context{}, insert_before,
                                    EventId::make(t.clock.now(), t.random)));
    EXPECT_EQ(must(co_await database.read(Context{}, views)), "2||a.jpg");
    // Its change of a text leaves the poster as it is.
    event.version = 2;
    event.title = "Day";
    must(co_await database.transact(Context{}, edit, event, t.line()));
    const ticket::Event found = must(co_await database.read(Context{}, find, event.id));
    EXPECT_EQ(found.title + found.poster, "Daya.jpg");
}
TEST_P(Posters, are_kept_beside_a_program_that_does_not_know_them) { run_on(*loop, beside(*this)); }

INSTANTIATE_TEST_SUITE_P(Engines, Posters, both_kinds, kind_name);

} // namespace
} // namespace urr::engines
