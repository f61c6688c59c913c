// catalog over the two views that it reads, here tables of the same columns.
#include "services/catalog/catalog.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "libs/async/run_to_end.hpp"
#include "libs/contract/event_facts.hpp"
#include "libs/core/json.hpp"
#include "libs/core/must.hpp"
#include "libs/sql/sqlite_database.hpp"

namespace urr::catalog {
namespace {

namespace fs = std::filesystem;

constexpr const char* views = R"sql(
CREATE TABLE catalog_events_v2 (id BLOB, title TEXT, artist TEXT, venue TEXT, address TEXT,
    description TEXT, event_us INTEGER, sale_start_us INTEGER, sale_end_us INTEGER, room INTEGER,
    seats_per_person INTEGER, grades TEXT, price_min INTEGER, price_max INTEGER, sellable INTEGER,
    poster TEXT);
CREATE TABLE catalog_seats_v1 (event BLOB, seat INTEGER, state INTEGER);
)sql";
constexpr Statement insert_event{
    "INSERT INTO catalog_events_v2 VALUES (?1, ?2, ?3, 'Hall', 'Seoul', 'Long', ?4, ?5, ?6, 1, 4, "
    "'[{\"grade\":\"R\",\"price\":100,\"seats\":2}]', 100, 100, 2, '')"};
constexpr Statement insert_seats{"INSERT INTO catalog_seats_v1 VALUES (?1, 0, 0), (?1, 1, 0), "
                                 "(?1, 2, 6)"};
constexpr Statement set_seats{"UPDATE catalog_seats_v1 SET state = ?2 "
                              "WHERE event = ?1 AND state <> 6"};
constexpr auto add = [](Tx& tx, EventId id, const std::string& title, const std::string& artist,
                        Instant event, Instant start, Instant end) -> Task<Result<bool>> {
    TRY(co_await tx.run(insert_event, {id, title, artist, event, start, end}));
    TRY(co_await tx.run(insert_seats, {id}));
    co_return true;
};
constexpr auto set = [](Tx& tx, EventId id, int state) -> Task<Result<bool>> {
    TRY(co_await tx.run(set_seats, {id, state}));
    co_return true;
};

struct CatalogOf : testing::Test {
    fs::path folder =
        fs::temp_directory_path() / ("urr_catalog_" + std::to_string(::getpid()) +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    ManualClock clock{Instant{1'800'000'000'000'000}};
    SeededRandom random{5};
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    std::unique_ptr<SqliteDatabase> database;
    std::unique_ptr<Catalog> catalog;
    Router router;

    CatalogOf() {
        fs::create_directories(folder);
        SqliteOptions options;
        options.path = (folder / "ticket.db").string();
        options.clock = &clock;
        database = must(open_sqlite(options));
        must(database->run_script(views));
        catalog = std::make_unique<Catalog>(*database, clock);
        catalog->add_to(router);
    }
    ~CatalogOf() override {
        database.reset();
        fs::remove_all(folder);
    }
    void run(Task<> task) { run_to_end(*loop, std::move(task)); }
    // An event on sale from now on for an hour, to be held in `days`.
    Task<EventId> event(std::string title, std::string artist, int days,
                        Duration starts_in = Duration{}) {
        clock.advance(milliseconds(1)); // ids rise
        const auto id = EventId::make(clock.now(), random);
        const Instant start = clock.now() + starts_in;
        must(co_await database->transact(Context{}, add, id, std::move(title), std::move(artist),
                                         clock.now() + hours(24 * days), start, start + hours(1)));
        co_return id;
    }
    Task<Response> get(std::string target, std::string tag = {}) {
        Request request;
        request.target = target;
        const std::size_t mark = target.find('?');
        request.path = std::string_view(target).substr(0, mark);
        if (mark != std::string::npos) request.query = std::string_view(target).substr(mark + 1);
        if (!tag.empty()) request.add_header("If-None-Match", tag);
        co_return co_await router.handle(Context{}, request);
    }
    // The titles of a list, joined, and its cursor.
    Task<std::pair<std::string, std::string>> titles(std::string query) {
        const Response r = co_await get("/api/v1/events?" + query);
        EXPECT_EQ(r.status, 200) << r.body;
        const JsonValue list = must(parse_json(r.body));
        std::string all;
        for (const JsonValue& item : list.find("items")->items) all += item.text_of("title");
        co_return std::pair(all, std::string(list.text_of("nextCursor")));
    }
    Task<std::string> status(EventId id) {
        const Response r = co_await get("/api/v1/events/" + id.text());
        co_return std::string(must(parse_json(r.body)).text_of("status"));
    }
};

Task<> walks(CatalogOf& t) {
    for (const char* title : {"A", "B", "C", "D", "E"}) co_await t.event(title, "x", 10);
    std::string all, cursor;
    for (int i = 0; i < 5; ++i) {
        const auto [page, next] =
            co_await t.titles("limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
        all += page + "|";
        if ((cursor = next).empty()) break;
        // What comes at the head meanwhile shifts nothing.
        co_await t.event("new", "x", 10);
        t.clock.advance(seconds(1));
    }
    EXPECT_EQ(all, "ED|CB|A|");
}
TEST_F(CatalogOf, a_list_is_walked_by_cursor_and_new_events_shift_nothing) { run(walks(*this)); }

Task<> filters(CatalogOf& t) {
    co_await t.event("Winter Night", "Luna", 30);
    co_await t.event("여름 콘서트", "하늘", 10);
    co_await t.event("Spring", "LUNA", 20, hours(5));
    EXPECT_EQ((co_await t.titles("q=winter")).first, "Winter Night");
    EXPECT_EQ((co_await t.titles("q=%EC%97%AC%EB%A6%84")).first, "여름 콘서트");
    EXPECT_EQ((co_await t.titles("artist=luna")).first, "SpringWinter Night");
    EXPECT_EQ((co_await t.titles("artist=lun")).first, "");
    EXPECT_EQ((co_await t.titles("status=upcoming")).first, "Spring");
    EXPECT_EQ((co_await t.titles("status=onSale&sort=eventAt")).first, "여름 콘서트Winter Night");
    EXPECT_EQ((co_await t.titles("sort=-eventAt")).first, "Winter NightSpring여름 콘서트");
    const std::string from = to_rfc3339(t.clock.now() + hours(24 * 15));
    const std::string to = to_rfc3339(t.clock.now() + hours(24 * 25));
    EXPECT_EQ((co_await t.titles("from=" + from + "&to=" + to)).first, "Spring");
    const auto [first, cursor] = co_await t.titles("sort=eventAt&limit=1");
    EXPECT_EQ(first, "여름 콘서트");
    EXPECT_EQ((co_await t.titles("sort=eventAt&cursor=" + cursor)).first, "SpringWinter Night");
    for (const char* bad : {"limit=0", "limit=101", "limit=x", "status=draft", "sort=price",
                            "cursor=7", "from=yesterday", "q=%ff", "limit=1&limit=2"})
        EXPECT_EQ((co_await t.get(std::string("/api/v1/events?") + bad)).status, 400) << bad;
}
TEST_F(CatalogOf, lists_are_filtered_and_sorted) { run(filters(*this)); }

Task<> statuses(CatalogOf& t) {
    const EventId id = co_await t.event("A", "x", 10, minutes(10));
    EXPECT_EQ(co_await t.status(id), "upcoming");
    t.clock.advance(minutes(10));
    EXPECT_EQ(co_await t.status(id), "onSale");
    const auto becomes = [&t, id](int state) -> Task<std::string> {
        must(co_await t.database->transact(Context{}, set, id, state));
        t.clock.advance(seconds(1));
        co_return co_await t.status(id);
    };
    EXPECT_EQ(co_await becomes(1), "lastSeats"); // held
    EXPECT_EQ(co_await becomes(3), "soldOut");
    EXPECT_EQ(co_await becomes(0), "onSale"); // seats came back
    t.clock.advance(hours(1));
    EXPECT_EQ(co_await t.status(id), "ended");
}
TEST_F(CatalogOf, the_status_follows_time_and_stock) { run(statuses(*this)); }

Task<> caches(CatalogOf& t) {
    const EventId id = co_await t.event("A", "x", 10);
    const std::string target = "/api/v1/events/" + id.text();
    const Response first = co_await t.get(target);
    EXPECT_EQ(first.header("Cache-Control"), "public, max-age=1");
    const JsonValue body = must(parse_json(first.body));
    EXPECT_EQ(body.integer_of("seatsLeft"), 2);
    EXPECT_EQ(body.integer_of("priceMin"), 100);
    EXPECT_TRUE(body.boolean_of("waitingRoom"));
    EXPECT_EQ(body.find("grades")->items.size(), 1u);
    const std::string tag(first.header("ETag"));
    EXPECT_EQ((co_await t.get(target, tag)).status, 304);
    const auto reads = t.catalog->metrics().reads.value();
    for (int i = 0; i < 10; ++i) co_await t.get(target);
    EXPECT_EQ(t.catalog->metrics().reads.value(), reads); // all within the second
    must(co_await t.database->transact(Context{}, set, id, 3));
    EXPECT_EQ((co_await t.get(target, tag)).status, 304); // still of this second
    t.clock.advance(seconds(1));
    EXPECT_EQ((co_await t.get(target, tag)).status, 200);
    EXPECT_EQ((co_await t.get("/api/v1/events/" + EventId{}.text())).status, 404);
    EXPECT_EQ((co_await t.get("/api/v1/events/nothing")).status, 404);
}
TEST_F(CatalogOf, an_answer_is_kept_for_a_second_and_has_a_tag) { run(caches(*this)); }

Task<> crowd(CatalogOf& t) {
    const EventId id = co_await t.event("A", "x", 10);
    static constexpr auto visit = [](CatalogOf& of, EventId which) -> Task<> {
        EXPECT_EQ((co_await of.get("/api/v1/events/" + which.text())).status, 200);
    };
    Nursery visitors;
    for (int i = 0; i < 200; ++i) visitors.spawn(visit(t, id));
    must(co_await visitors.drained(Context{}));
    EXPECT_EQ(t.catalog->metrics().reads.value(), 1u);
}
TEST_F(CatalogOf, many_at_once_cost_one_reading) { run(crowd(*this)); }

Task<> outage(CatalogOf& t) {
    const EventId id = co_await t.event("A", "x", 10);
    EXPECT_EQ((co_await t.get("/api/v1/events/" + id.text())).status, 200);
    must(t.database->run_script("ALTER TABLE catalog_events_v2 RENAME TO gone"));
    t.clock.advance(seconds(30));
    EXPECT_EQ((co_await t.get("/api/v1/events/" + id.text())).status, 200);
    t.clock.advance(minutes(1));
    EXPECT_GE((co_await t.get("/api/v1/events/" + id.text())).status, 500);
    EXPECT_EQ(t.catalog->metrics().failed_reads.value(), 2u);
}
TEST_F(CatalogOf, without_the_store_the_last_answer_is_given_for_a_minute) { run(outage(*this)); }

constexpr Statement hold_one{
    "UPDATE catalog_seats_v1 SET state = ?2 WHERE event = ?1 AND seat = 0"};
constexpr auto set_one = [](Tx& tx, EventId id, int state) -> Task<Result<bool>> {
    TRY(co_await tx.run(hold_one, {id, state}));
    co_return true;
};
Task<> tells(CatalogOf& t) {
    const EventId id = co_await t.event("A", "One", 3);
    const auto told = [](CatalogOf& of) -> Task<EventTold> {
        of.clock.advance(seconds(1));
        const Response r = co_await of.get("/internal/events");
        EXPECT_EQ(r.status, 200) << r.body;
        co_return must(read_json<EventsTold>(r.body)).items.at(0);
    };
    EventTold event = co_await told(t);
    EXPECT_TRUE(event.id == id && event.room);
    EXPECT_EQ(event.sale_end, event.sale_start + hours(1));
    EXPECT_EQ(event.free, 2);
    must(co_await t.database->transact(Context{}, set_one, id, 1));
    event = co_await told(t);
    EXPECT_TRUE(event.free == 1 && event.under_way == 1 && event.sold == 0);
    must(co_await t.database->transact(Context{}, set_one, id, 3));
    event = co_await told(t);
    EXPECT_TRUE(event.free == 1 && event.under_way == 0 && event.sold == 1);
}
TEST_F(CatalogOf, tells_queue_what_is_left_and_a_blocked_seat_is_neither_sold_nor_for_sale) {
    run(tells(*this));
}

} // namespace
} // namespace urr::catalog
