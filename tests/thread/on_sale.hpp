// ticket, payment and the sandbox acquirer in one process: real stores, real events, the loopback
// transport with its assertions. A test is a coroutine on the fixture's loop:
//
//     Task<> buys(OnSale& t) { co_await t.prepare(); … }
//     TEST_F(OnSale, a_fan_buys) { run(buys(*this)); }
//
// `restart()` closes the stores and opens them anew, as a process that died would.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "libs/async/nursery.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/must.hpp"
#include "libs/http/client.hpp"
#include "libs/messaging/relay.hpp"
#include "libs/messaging/table_log.hpp"
#include "services/payment/callbacks.hpp"
#include "services/payment/http/routes.hpp"
#include "services/payment/sandbox_acquirer.hpp"
#include "services/payment/tickets_client.hpp"
#include "services/ticket/http/admin_routes.hpp"
#include "services/ticket/http/routes.hpp"
#include "services/ticket/store/schema.hpp"

namespace urr {

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
    std::unique_ptr<payment::SandboxAcquirer> acquirer;
    std::unique_ptr<Transport> to_payment;
    std::unique_ptr<payment::SignedCallbacks> callbacks;
    std::unique_ptr<payment::Tickets> tickets_client;
    std::unique_ptr<payment::Service> payments;
    std::unique_ptr<payment::Routes> payment_routes;
    std::unique_ptr<payment::Webhooks> webhooks;
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
        payment_routes = std::make_unique<payment::Routes>(*payments, HmacKey("bodies"));
        webhooks = std::make_unique<payment::Webhooks>(*payments, HmacKey("s"), clock);
        CallerKeys payment_callers;
        payment_callers.emplace("gateway", HmacKey("g"));
        payment_face = std::make_unique<GuardedService>(
            "payment", std::move(payment_callers), std::set<std::string, std::less<>>{}, clock);
        payment_routes->add_to(payment_face->router());
        webhooks->add_to(payment_face->router());
        to_payment = loopback(*payment_face);
        callbacks =
            std::make_unique<payment::SignedCallbacks>(*to_payment, gateway, HmacKey("s"), clock);
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
                       std::string path, std::string body = {}, std::string key = {},
                       std::string query = {}, std::string if_match = {}) {
        Request request;
        request.method = method;
        request.target = request.path = path;
        request.query = query;
        if (!if_match.empty()) request.add_header("If-Match", if_match);
        request.body = body;
        request.add_header("Content-Type", type_json);
        if (!key.empty()) request.add_header("Idempotency-Key", key);
        const CallerHeaders headers(gateway, name, who, request, clock.now());
        headers.attach(request);
        co_return co_await service.handle(Context{}, request);
    }
    Task<Response> ask_ticket(Principal who, Method method, std::string path, std::string body = {},
                              std::string key = {}, std::string query = {},
                              std::string if_match = {}) {
        co_return co_await ask(*ticket_face, "ticket", who, method, path, body, key, query,
                               if_match);
    }
    Task<Response> pay(Principal who, std::string order, std::string card, std::string key) {
        co_return co_await ask(*payment_face, "payment", who, Method::post,
                               "/api/v1/payments/" + order + "/confirm",
                               "{\"cardNumber\":\"" + card + "\"}", key);
    }
    // A provider's callback with a signature of that time.
    Task<Response> tell(const payment::Callback& callback, Instant signed_at, std::string secret) {
        const std::string body = to_json(callback);
        const std::string signature = payment::sign_callback(HmacKey(secret), body, signed_at);
        Request request;
        request.method = Method::post;
        request.target = request.path = "/api/v1/payments/webhooks/sandbox";
        request.body = body;
        request.add_header(payment::signature_header, signature);
        const CallerHeaders headers(gateway, "payment", Principal{}, request, clock.now());
        headers.attach(request);
        co_return co_await payment_face->handle(Context{}, request);
    }
    static std::string code_of(const Response& response) {
        return std::string(must(parse_json(response.body)).text_of("code"));
    }
    // The one attempt of an order.
    Task<PaymentId> attempt_of(Principal who, std::string order) {
        const Response mine =
            co_await ask(*payment_face, "payment", who, Method::get, "/api/v1/payments/mine");
        const JsonValue list = must(parse_json(mine.body));
        for (const JsonValue& item : list.find("items")->items)
            if (item.text_of("orderId") == order) co_return *PaymentId::parse(item.text_of("id"));
        ADD_FAILURE() << "no attempt: " << mine.body;
        co_return PaymentId{};
    }
    Task<std::string> payment_state(Principal who, PaymentId id) {
        const Response got = co_await ask(*payment_face, "payment", who, Method::get,
                                          "/api/v1/payments/" + id.text());
        co_return std::string(must(parse_json(got.body)).text_of("state"));
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
        for (int i = 0; i < 12'000; ++i) { // a minute
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

} // namespace urr
