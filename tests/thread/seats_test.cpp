// ticket's routes as fans and organizers meet them: maps, streams, keys, lists, changes.
#include "services/catalog/catalog.hpp"
#include "tests/thread/on_sale.hpp"

namespace urr {
namespace {

Task<> keys(OnSale& t, Principal& fan, std::string& body) {
    co_await t.prepare();
    fan = t.fan();
    const auto reserve = [&t](Principal who, std::string seats, std::string key) {
        return t.ask_ticket(who, Method::post, "/api/v1/reservations", t.seats_body(seats), key);
    };
    // A refusal that changed nothing is not kept: the key is still free.
    EXPECT_EQ((co_await reserve(t.fan(), "[3]", "x")).status, 201);
    EXPECT_EQ(t.code_of(co_await reserve(fan, "[3]", "k")), "SEAT_TAKEN");
    // Twice at once, then again, then with another body.
    Response answers[2];
    static constexpr auto send = [](OnSale& of, Principal who, Response& answer) -> Task<> {
        answer = co_await of.ask_ticket(who, Method::post, "/api/v1/reservations",
                                        of.seats_body("[1,2]"), "k");
    };
    Nursery tabs;
    for (Response& answer : answers) tabs.spawn(send(t, fan, answer));
    must(co_await tabs.drained(Context{}));
    EXPECT_EQ(answers[0].status, 201) << answers[0].body;
    EXPECT_EQ(answers[0].body, answers[1].body);
    body = answers[0].body;
    EXPECT_EQ(t.code_of(co_await reserve(fan, "[4]", "k")), "IDEMPOTENCY_KEY_REUSED");
    const Response mine = co_await t.ask_ticket(fan, Method::get, "/api/v1/reservations/mine");
    EXPECT_EQ(must(parse_json(mine.body)).find("items")->items.size(), 1u);
}
Task<> keys_later(OnSale& t, Principal fan, std::string body) {
    const Response again = co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations",
                                                 t.seats_body("[1,2]"), "k");
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, body);
}
TEST_F(OnSale, one_key_is_one_reservation_at_once_and_across_a_restart) {
    Principal fan;
    std::string body;
    run(keys(*this, fan, body));
    restart();
    run(keys_later(*this, fan, body));
}

// As after a hold that was committed later than anybody waited: the store has it, the map does not.
Task<> unheard_holds(OnSale& t) {
    co_await t.prepare();
    must(t.ticket_db->run_script("UPDATE seats SET state = 1, version = version + 1, "
                                 "hold_until_us = 9000000000000000 WHERE seat < 990"));
    const Principal fan = t.fan();
    const Response refused =
        co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations", t.seats_body("[1]"), "a");
    EXPECT_EQ(t.code_of(refused), "SEAT_TAKEN");
    const Response map = co_await t.ask_ticket(fan, Method::get, "/api/v1/seats/" + t.event.text());
    EXPECT_EQ(must(parse_json(map.body)).text_of("seats"),
              std::string(990, 'h') + std::string(10, 'a'));
    EXPECT_EQ((co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations",
                                     t.seats_body("[995]"), "b"))
                  .status,
              201);
}
TEST_F(OnSale, a_map_catches_up_with_holds_that_nobody_heard_of) { run(unheard_holds(*this)); }

Task<> refused_fans(OnSale& t) {
    co_await t.prepare();
    Principal fan = t.fan();
    const auto code = [&t](Principal who, std::string key) -> Task<std::string> {
        co_return t.code_of(co_await t.ask_ticket(who, Method::post, "/api/v1/reservations",
                                                  t.seats_body("[1]"), key));
    };
    fan.verified = false;
    EXPECT_EQ(co_await code(fan, "a"), "EMAIL_NOT_VERIFIED");
    fan.verified = true;
    t.revoked.revoke(t.event, fan.entry_token, never);
    EXPECT_EQ(co_await code(fan, "b"), "ENTRY_TOKEN_REVOKED");
    EXPECT_EQ(t.code_of(co_await t.ask_ticket(fan, Method::get, "/api/v1/seats/" + t.event.text())),
              "ENTRY_TOKEN_REVOKED");
}
TEST_F(OnSale, unverified_fans_and_revoked_entries_hold_nothing) { run(refused_fans(*this)); }

Task<> map_and_stream(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string path = "/api/v1/seats/" + t.event.text();
    const auto get = [&t, fan](std::string target, std::string_view name,
                               std::string value) -> Task<Response> {
        Request request;
        request.target = request.path = target;
        if (!value.empty()) request.add_header(name, value);
        const CallerHeaders headers(t.gateway, "ticket", fan, request, t.clock.now());
        headers.attach(request);
        co_return co_await t.ticket_face->handle(Context{}, request);
    };
    const Response first = co_await get(path, "", "");
    const std::string tag(first.header("ETag"));
    EXPECT_EQ(must(parse_json(first.body)).text_of("seats"), std::string(1000, 'a'));
    EXPECT_EQ((co_await get(path, "If-None-Match", tag)).status, 304);
    EXPECT_EQ((co_await get(path + "/layout", "", "")).header("Cache-Control"),
              "private, no-cache");
    // A listener that was cut off before the change gets it by the id it saw last.
    const std::string seen = tag.substr(1, tag.size() - 2);
    co_await t.hold(fan, "[5]");
    const Response changed = co_await get(path, "If-None-Match", tag);
    EXPECT_EQ(must(parse_json(changed.body)).text_of("seats").substr(0, 7), "aaaaaha");
    EXPECT_NE((co_await get(path + "/layout", "", "")).header("Cache-Control").find("immutable"),
              std::string_view::npos);
    Response stream = co_await get(path + "/stream", "Last-Event-ID", seen);
    const auto frame = must(co_await stream.stream->next(Context{}));
    EXPECT_NE(frame->find("event: seats\nid: " + std::to_string(std::stol(seen) + 1)),
              std::string::npos)
        << *frame;
    EXPECT_NE(frame->find(R"({"seat":5,"state":"h","version":2})"), std::string::npos);
    EXPECT_NE(frame->find("event: digest"), std::string::npos);
    // What happens while one listens comes in one frame per tick.
    co_await t.hold(fan, "[6]");
    co_await t.hold(fan, "[7]");
    t.tickets->find(t.event)->publish();
    const auto next = must(co_await stream.stream->next(Context{}));
    EXPECT_NE(next->find("\"seat\":6"), std::string::npos);
    EXPECT_NE(next->find("\"seat\":7"), std::string::npos);
}
TEST_F(OnSale, a_map_has_a_tag_and_its_stream_gives_what_was_missed) { run(map_and_stream(*this)); }

Task<> best(OnSale& t) {
    co_await t.prepare();
    static constexpr auto ask = [](OnSale& of, std::set<std::int64_t>& all) -> Task<> {
        const Response r = co_await of.ask_ticket(of.fan(), Method::post,
                                                  "/api/v1/seats/" + of.event.text() + "/best",
                                                  R"({"count":4,"grade":"VIP"})", "b");
        EXPECT_EQ(r.status, 201) << r.body;
        const JsonValue body = must(parse_json(r.body));
        std::int64_t before = -1;
        for (const JsonValue& seat : body.find("seats")->items) {
            EXPECT_TRUE(all.insert(seat.integer).second);
            EXPECT_TRUE(before < 0 || seat.integer == before + 1); // side by side
            before = seat.integer;
        }
    };
    // All of the grade, at once: 280 seats for 70 fans, none of whom is in another's way.
    std::set<std::int64_t> all;
    Nursery fans;
    for (int i = 0; i < 70; ++i) fans.spawn(ask(t, all));
    must(co_await fans.drained(Context{}));
    EXPECT_EQ(all.size(), 280u);
    EXPECT_EQ(t.tickets->metrics().taken.value(), 0u);
    EXPECT_EQ(t.code_of(co_await t.ask_ticket(t.fan(), Method::post,
                                              "/api/v1/seats/" + t.event.text() + "/best",
                                              R"({"count":1,"grade":"VIP"})", "b")),
              "NO_SEATS_TOGETHER");
}
TEST_F(OnSale, best_seats_of_many_at_once_are_together_and_apart) { run(best(*this)); }

Task<> lists(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    for (const char* seats : {"[1]", "[2]", "[3]"}) co_await t.hold(fan, seats);
    const auto get = [&t, fan](std::string query) {
        return t.ask_ticket(fan, Method::get, "/api/v1/reservations/mine", {}, {}, query);
    };
    const JsonValue first = must(parse_json((co_await get("limit=2")).body));
    EXPECT_EQ(first.find("items")->items.size(), 2u);
    const std::string cursor(first.text_of("nextCursor"));
    const JsonValue rest = must(parse_json((co_await get("limit=2&cursor=" + cursor)).body));
    EXPECT_EQ(rest.find("items")->items.size(), 1u);
    EXPECT_EQ(rest.find("nextCursor")->kind, JsonValue::Kind::null);
    for (const char* bad : {"limit=0", "limit=101", "cursor=x"})
        EXPECT_EQ((co_await get(bad)).status, 400) << bad;
}
TEST_F(OnSale, lists_are_walked_by_cursor) { run(lists(*this)); }

Task<> changes(OnSale& t) {
    co_await t.prepare();
    Principal admin = t.fan();
    admin.role = Role::admin;
    const std::string path = "/api/v1/admin/events/" + t.event.text();
    const auto change = [&t, admin, path](std::string body) {
        return t.ask_ticket(admin, Method::patch, path, body);
    };
    const Response bigger = co_await change(R"({"template":"arena","seatsPerPerson":2})");
    EXPECT_EQ(must(parse_json(bigger.body)).integer_of("seats"), 15'000) << bigger.body;
    EXPECT_EQ(bigger.header("ETag"), "\"3\""); // created, published, changed
    EXPECT_EQ(t.code_of(co_await t.ask_ticket(admin, Method::patch, path, R"({"title":"x"})", {},
                                              {}, "\"2\"")),
              "PRECONDITION_FAILED");
    EXPECT_EQ(t.code_of(co_await change(R"({"saleEndAt":"2019-01-01T00:00:00Z"})")),
              "VALIDATION_FAILED");
    const Principal fan = t.fan();
    co_await t.hold(fan, "[14999]");
    EXPECT_EQ(t.code_of(co_await change(R"({"template":"hall"})")), "EVENT_FROZEN");
    EXPECT_EQ(t.code_of(co_await change(R"({"eventAt":"2031-01-01T00:00:00Z"})")), "EVENT_FROZEN");
    EXPECT_EQ((co_await change(R"({"title":"Day","saleEndAt":"2029-01-01T00:00:00Z"})")).status,
              200);
    EXPECT_EQ(t.code_of(co_await t.ask_ticket(fan, Method::patch, path, "{}")), "FORBIDDEN");
    // Every act stands in the log, the latest first; refused ones have left nothing.
    const Response log = co_await t.ask_ticket(admin, Method::get, "/api/v1/admin/audit");
    std::string acts;
    for (const JsonValue& line : must(parse_json(log.body)).find("items")->items)
        acts += std::string(line.text_of("act")) + " ";
    EXPECT_EQ(acts, "event.change event.change event.publish event.create ");
}
TEST_F(OnSale, organizers_change_events_until_the_first_hold) { run(changes(*this)); }

// As when another process has changed the event: this one's copy has the old terms.
Task<> changed_elsewhere(OnSale& t) {
    co_await t.prepare();
    must(t.ticket_db->run_script("UPDATE events SET seats_per_person = 1, version = version + 1"));
    const Principal fan = t.fan();
    const Response two = co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations",
                                               t.seats_body("[1,2]"), "a");
    EXPECT_EQ(t.code_of(two), "SEAT_LIMIT") << two.body;
    co_await t.hold(fan, "[1]");
    must(t.ticket_db->run_script("UPDATE events SET version = version + 1"));
    const Response best = co_await t.ask_ticket(
        t.fan(), Method::post, "/api/v1/seats/" + t.event.text() + "/best", R"({"count":1})", "b");
    EXPECT_EQ(best.status, 201) << best.body;
}
TEST_F(OnSale, holds_are_made_by_the_event_as_it_stands) { run(changed_elsewhere(*this)); }

Task<> catalog_reads(OnSale& t) {
    co_await t.prepare();
    co_await t.hold(t.fan(), "[1,2]");
    catalog::Catalog catalog(*t.ticket_db, t.clock);
    Router router;
    catalog.add_to(router);
    Request request;
    const std::string path = "/api/v1/events/" + t.event.text();
    request.target = request.path = path;
    const JsonValue event = must(parse_json((co_await router.handle(Context{}, request)).body));
    EXPECT_EQ(event.text_of("status"), "onSale");
    EXPECT_EQ(event.integer_of("seatsLeft"), 998);
    EXPECT_EQ(event.integer_of("priceMin"), 99'000);
    EXPECT_EQ(event.integer_of("priceMax"), 165'000);
    EXPECT_EQ(event.find("grades")->items.size(), 3u);
}
TEST_F(OnSale, the_catalog_reads_what_ticket_writes) { run(catalog_reads(*this)); }

} // namespace
} // namespace urr
