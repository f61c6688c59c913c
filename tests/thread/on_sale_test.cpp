// From the hold to the paid ticket through ticket and payment: real stores, real events, the
// loopback transport with its assertions, the sandbox acquirer.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "libs/async/nursery.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/must.hpp"
#include "libs/http/client.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/messaging/table_log.hpp"
#include "services/payment/http/routes.hpp"
#include "services/payment/sandbox_acquirer.hpp"
#include "services/payment/tickets_client.hpp"
#include "services/ticket/http/admin_routes.hpp"
#include "services/ticket/http/routes.hpp"
#include "services/ticket/store/schema.hpp"

namespace urr {
namespace {

namespace fs = std::filesystem;

struct OnSale : testing::Test {
    fs::path folder =
        fs::temp_directory_path() / ("urr_sale_" + std::to_string(::getpid()) +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    SystemClock clock;
    SeededRandom random{9};
    std::unique_ptr<RunLoop> loop = make_asio_loop();
    std::unique_ptr<SqliteDatabase> ticket_db, payment_db, acquirer_db, events_db;
    RevokedEntries revoked;
    std::unique_ptr<EventLog> log;
    std::unique_ptr<ticket::Service> tickets;
    std::unique_ptr<ticket::Routes> ticket_routes;
    std::unique_ptr<ticket::AdminRoutes> admin_routes;
    std::unique_ptr<GuardedService> ticket_face, payment_face;
    std::unique_ptr<Transport> to_ticket;
    std::unique_ptr<payment::Acquirer> acquirer;
    std::unique_ptr<payment::Tickets> tickets_client;
    std::unique_ptr<payment::Service> payments;
    std::unique_ptr<payment::Routes> payment_routes;
    CallerKey gateway{"gateway", HmacKey("g")};
    EventId event;

    std::unique_ptr<SqliteDatabase> open(const char* name, std::span<const Migration> tables) {
        SqliteOptions options;
        options.path = (folder / name).string();
        options.clock = &clock;
        auto database = must(open_sqlite(options));
        must(migrate(*database, tables));
        return database;
    }
    OnSale() {
        fs::create_directories(folder);
        start();
    }
    ~OnSale() override {
        stop();
        fs::remove_all(folder);
    }
    void start() {
        ticket_db = open("ticket.db", ticket::migrations);
        payment_db = open("payment.db", payment::migrations);
        acquirer_db = open("acquirer.db", payment::acquirer_migrations);
        events_db = open("events.db", event_log_migrations);
        log = make_table_log(*events_db, milliseconds(2));
        std::array<unsigned char, 32> seed{};
        tickets = std::make_unique<ticket::Service>(
            ticket::Parts{*ticket_db, clock, random, revoked,
                          SigningKey::from_seed(TokenType::ticket, "t1", seed), ticket::Rules{}});
        ticket_routes = std::make_unique<ticket::Routes>(*tickets);
        CallerKeys ticket_callers;
        ticket_callers.emplace("gateway", HmacKey("g"));
        ticket_callers.emplace("payment", HmacKey("p"));
        ticket_face =
            std::make_unique<GuardedService>("ticket", std::move(ticket_callers),
                                             std::set<std::string, std::less<>>{"payment"}, clock);
        ticket_routes->add_to(ticket_face->router());
        admin_routes = std::make_unique<ticket::AdminRoutes>(*tickets);
        admin_routes->add_to(ticket_face->router());
        to_ticket = loopback(*ticket_face);
        acquirer = payment::make_sandbox_acquirer(*acquirer_db);
        tickets_client =
            payment::make_tickets_client(*to_ticket, CallerKey{"payment", HmacKey("p")}, clock);
        payments = std::make_unique<payment::Service>(
            payment::Parts{*payment_db, clock, random, *acquirer, *tickets_client});
        payment_routes = std::make_unique<payment::Routes>(*payments);
        CallerKeys payment_callers;
        payment_callers.emplace("gateway", HmacKey("g"));
        payment_face = std::make_unique<GuardedService>(
            "payment", std::move(payment_callers), std::set<std::string, std::less<>>{}, clock);
        payment_routes->add_to(payment_face->router());
    }
    void stop() {
        for (auto* database : {&ticket_db, &payment_db, &acquirer_db, &events_db})
            database->reset();
    }
    void restart() {
        stop();
        loop = make_asio_loop();
        start();
    }
    void run(Task<> task) {
        static constexpr auto body = [](OnSale& t, Task<> inner) -> Task<> {
            must(co_await t.tickets->open(Context{}));
            Relay from_ticket(*t.ticket_db, *t.log, "test", milliseconds(2));
            Relay from_payment(*t.payment_db, *t.log, "test", milliseconds(2));
            Nursery jobs;
            jobs.spawn(from_ticket.run());
            jobs.spawn(from_payment.run());
            jobs.spawn(t.log->deliver(std::string(topic_payment), "payment", *t.payments));
            jobs.spawn(t.log->deliver(std::string(topic_reservation), "ticket", *t.tickets));
            co_await std::move(inner);
            t.loop->stop();
        };
        Nursery nursery;
        Loop::Enter in(loop.get());
        nursery.spawn(body(*this, std::move(task)));
        loop->run();
    }

    // A request as the gateway would pass it on.
    Task<Response> ask(GuardedService& service, std::string_view name, Principal who, Method method,
                       std::string path, std::string body = {}, std::string key = {}) {
        Request request;
        request.method = method;
        request.target = request.path = path;
        request.body = body;
        request.add_header("Content-Type", type_json);
        if (!key.empty()) request.add_header("Idempotency-Key", key);
        const CallerHeaders headers(gateway, name, who, request, clock.now());
        headers.attach(request);
        co_return co_await service.handle(Context{}, request);
    }
    Task<Response> ask_ticket(Principal who, Method method, std::string path, std::string body = {},
                              std::string key = {}) {
        co_return co_await ask(*ticket_face, "ticket", who, method, path, body, key);
    }
    Task<Response> pay(Principal who, std::string order, std::string card, std::string key) {
        co_return co_await ask(*payment_face, "payment", who, Method::post,
                               "/api/v1/payments/" + order + "/confirm",
                               "{\"cardNumber\":\"" + card + "\"}", key);
    }
    Principal fan() {
        Principal p;
        p.account = AccountId::make(clock.now(), random);
        p.role = Role::user;
        p.verified = true;
        p.entry_event = event;
        p.entry_token = make_id_bytes(clock.now(), random);
        return p;
    }
    // Makes and publishes an event by the admin's routes.
    Task<> prepare() {
        Principal admin = fan();
        admin.role = Role::admin;
        const std::string body =
            R"({"title":"Night","venue":"Hall","eventAt":"2030-01-01T10:00:00Z",)"
            R"("saleStartAt":"2020-01-01T00:00:00Z","saleEndAt":"2030-01-01T00:00:00Z",)"
            R"("template":"hall"})";
        const Response made =
            co_await ask_ticket(admin, Method::post, "/api/v1/admin/events", body);
        EXPECT_EQ(made.status, 201) << made.body;
        event = *EventId::parse(must(parse_json(made.body)).text_of("id"));
        const Response published = co_await ask_ticket(
            admin, Method::post, "/api/v1/admin/events/" + event.text() + "/publish");
        EXPECT_EQ(published.status, 200) << published.body;
    }
    std::string seats_body(std::string_view seats) {
        return "{\"eventId\":\"" + event.text() + "\",\"seats\":" + std::string(seats) + "}";
    }
    Task<std::string> hold(Principal who, std::string seats) {
        const Response held = co_await ask_ticket(who, Method::post, "/api/v1/reservations",
                                                  seats_body(seats), "k" + seats);
        EXPECT_EQ(held.status, 201) << held.body;
        co_return std::string(must(parse_json(held.body)).text_of("id"));
    }
    Task<std::string> state_of(Principal who, std::string id) {
        const Response got = co_await ask_ticket(who, Method::get, "/api/v1/reservations/" + id);
        co_return std::string(must(parse_json(got.body)).text_of("state"));
    }
    Task<bool> becomes(Principal who, std::string id, std::string state) {
        for (int i = 0; i < 400; ++i) {
            if (co_await state_of(who, id) == state) co_return true;
            must(co_await sleep(Context{}, milliseconds(5)));
        }
        ADD_FAILURE() << "still " << co_await state_of(who, id);
        co_return false;
    }
    // The money: the ledger balances, and the acquirer holds what the ledger says.
    Task<> expect_balanced() {
        static constexpr auto sum =
            [](Tx& tx) -> Task<Result<std::pair<std::int64_t, std::int64_t>>> {
            static constexpr Statement all{
                "SELECT coalesce(sum(amount), 0), coalesce(sum(CASE account WHEN 'acquirer' THEN "
                "amount END), 0) FROM ledger"};
            const Rows rows = TRY(co_await tx.run(all));
            co_return std::pair(rows.integer(0, 0), rows.integer(0, 1));
        };
        static constexpr auto taken = [](Tx& tx) -> Task<Result<std::int64_t>> {
            static constexpr Statement all{"SELECT coalesce(sum(amount), 0) FROM charges "
                                           "WHERE state = 0 AND refunded = 0"};
            co_return TRY(co_await tx.run(all)).integer(0, 0);
        };
        const auto [balance, ours] = must(co_await payment_db->read(Context{}, sum));
        EXPECT_EQ(balance, 0);
        EXPECT_EQ(ours, must(co_await acquirer_db->read(Context{}, taken)));
    }
};

Task<> buys(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[3,4]");
    const Response paid = co_await t.pay(fan, id, "4242424242424242", "p1");
    EXPECT_EQ(paid.status, 200) << paid.body;
    const Response again = co_await t.pay(fan, id, "4242424242424242", "p1");
    EXPECT_EQ(again.body, paid.body); // the first answer
    EXPECT_EQ((co_await t.pay(fan, id, "4242424242424242", "p2")).status, 409);
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    const Response tickets = co_await t.ask_ticket(fan, Method::get, "/api/v1/tickets/mine");
    const JsonValue list = must(parse_json(tickets.body));
    const JsonValue* items = list.find("items");
    EXPECT_TRUE(items && items->items.size() == 2) << tickets.body;
    co_await t.expect_balanced();
}

TEST_F(OnSale, a_fan_holds_pays_and_owns_tickets) { run(buys(*this)); }

Task<> declined(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    const Response no = co_await t.pay(fan, id, "4000000000000002", "p1");
    EXPECT_EQ(no.status, 409);
    EXPECT_NE(no.body.find("PAYMENT_DECLINED"), std::string::npos) << no.body;
    EXPECT_TRUE(co_await t.becomes(fan, id, "pending"));
    EXPECT_EQ((co_await t.pay(fan, id, "4242424242424242", "p2")).status, 200);
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    co_await t.expect_balanced();
}

TEST_F(OnSale, a_declined_card_keeps_the_hold_for_another) { run(declined(*this)); }

Task<> unknown(OnSale& t, const char* card, const char* end) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    const Response waits = co_await t.pay(fan, id, card, "p1");
    EXPECT_NE(waits.body.find("PAYMENT_OUTCOME_PENDING"), std::string::npos) << waits.body;
    EXPECT_EQ(co_await t.state_of(fan, id), "paying");
    // It bars a second attempt, and cancelling.
    EXPECT_EQ((co_await t.pay(fan, id, "4242424242424242", "p2")).status, 409);
    EXPECT_EQ(
        (co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations/" + id + "/cancel")).status,
        409);
    must(co_await sleep(Context{}, milliseconds(2100)));
    EXPECT_EQ(must(co_await t.payments->reconcile(Context{}, Duration{})), 1u);
    EXPECT_TRUE(co_await t.becomes(fan, id, end));
    co_await t.expect_balanced();
}

TEST_F(OnSale, an_answer_that_never_came_is_asked_for_and_found) {
    run(unknown(*this, "4000000000000259", "confirmed"));
}
TEST_F(OnSale, a_request_that_never_arrived_is_voided_and_the_hold_goes_on) {
    run(unknown(*this, "4000000000000341", "pending"));
}

Task<> crash_between(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const std::string id = co_await t.hold(fan, "[1]");
    // The attempt is stored and captured, and the process dies before it can write the outcome.
    const OrderId order{ReservationId::parse(id)->bytes};
    const auto attempt = PaymentId::make(t.clock.now(), t.random);
    Context context;
    context.principal = fan;
    must(co_await t.payments->prepare(context, order));
    static constexpr auto start = [](Tx& tx, PaymentId p, OrderId o, const IdempotencyKey& key) {
        return payment::start_attempt(tx, p, o, key);
    };
    must(co_await t.payment_db->transact(Context{}, start, attempt, order,
                                         IdempotencyKey{fan.account, "confirmPayment", "p1", {}}));
    must(co_await t.tickets_client->begin(Context{}, order, attempt));
    must(co_await t.acquirer->capture(Context{}, attempt, Won{165'000}, "4242424242424242"));
}
Task<> after_crash(OnSale& t, Principal fan, std::string id) {
    EXPECT_EQ(must(co_await t.payments->reconcile(Context{}, Duration{})), 1u);
    EXPECT_TRUE(co_await t.becomes(fan, id, "confirmed"));
    co_await t.expect_balanced();
}

TEST_F(OnSale, a_crash_between_capture_and_outcome_loses_no_money) {
    run(crash_between(*this));
    Principal fan;
    std::string id;
    {
        static constexpr auto find = [](OnSale& t, Principal& who, std::string& which) -> Task<> {
            static constexpr auto one =
                [](Tx& tx) -> Task<Result<std::pair<AccountId, ReservationId>>> {
                static constexpr Statement all{"SELECT account, id FROM reservations"};
                const Rows rows = TRY(co_await tx.run(all));
                co_return std::pair(rows.id<AccountId>(0, 0), rows.id<ReservationId>(0, 1));
            };
            const auto [account, reservation] = must(co_await t.ticket_db->read(Context{}, one));
            who.account = account;
            who.role = Role::user;
            which = reservation.text();
        };
        restart();
        run(find(*this, fan, id));
    }
    restart();
    run(after_crash(*this, fan, id));
}

Task<> refusals(OnSale& t) {
    co_await t.prepare();
    const Principal fan = t.fan();
    const auto code = [](const Response& r) {
        return std::string(must(parse_json(r.body)).text_of("code"));
    };
    Principal elsewhere = fan;
    elsewhere.entry_event = EventId::make(t.clock.now(), t.random);
    EXPECT_EQ(code(co_await t.ask_ticket(elsewhere, Method::post, "/api/v1/reservations",
                                         t.seats_body("[1]"), "a")),
              "ENTRY_TOKEN_INVALID");
    EXPECT_EQ(
        code(co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations", t.seats_body("[1]"))),
        "IDEMPOTENCY_KEY_REQUIRED");
    for (const char* seats :
         {"[1,1]", "[-1]", "[1000]", "[]", "[1.5]", "\"1\"", "[1,2,3,4,5,6,7,8,9,10,11]"})
        EXPECT_EQ(code(co_await t.ask_ticket(fan, Method::post, "/api/v1/reservations",
                                             t.seats_body(seats), "b")),
                  "VALIDATION_FAILED")
            << seats;
    EXPECT_EQ(code(co_await t.ask_ticket(fan, Method::post, "/api/v1/admin/events", "{}")),
              "FORBIDDEN");
    // gateway may not use what is for payment alone
    EXPECT_EQ(code(co_await t.ask_ticket(
                  fan, Method::post,
                  "/internal/reservations/" + fan.account.text() + "/begin-payment", "{}")),
              "ASSERTION_INVALID");
    const std::string id = co_await t.hold(fan, "[1]");
    EXPECT_EQ(code(co_await t.ask_ticket(t.fan(), Method::get, "/api/v1/reservations/" + id)),
              "NOT_FOUND");
    EXPECT_EQ(code(co_await t.pay(t.fan(), id, "4242424242424242", "x")), "NOT_FOUND");
    const Response best =
        co_await t.ask_ticket(t.fan(), Method::post, "/api/v1/seats/" + t.event.text() + "/best",
                              R"({"count":2})", "best");
    EXPECT_EQ(best.status, 201) << best.body;
}

TEST_F(OnSale, what_must_be_refused_is) { run(refusals(*this)); }

} // namespace
} // namespace urr
