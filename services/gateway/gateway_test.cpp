#include "services/gateway/gateway.hpp"

#include <gtest/gtest.h>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/contract/guarded.hpp"
#include "libs/core/json.hpp"
#include "libs/core/must.hpp"
#include "libs/http/client.hpp"

namespace urr::gateway {
namespace {

// A service that tells what it believes of its caller.
struct Mirror {
    Task<Result<Response>> tell(Context context, Request request) {
        const Principal& p = context.principal;
        co_return json_response(200, "{\"account\":\"" + p.account.text() + "\",\"role\":\"" +
                                         std::string(role_name(p.role)) + "\",\"event\":\"" +
                                         p.entry_event.text() + "\",\"from\":\"" +
                                         std::string(request.header("X-Forwarded-For")) + "\"}");
    }
};

struct Gateways : testing::Test {
    SimWorld world{1};
    SimLoop loop{world};
    SeededRandom random{2};
    ManualClock clock{Instant{1'800'000'000'000'000}};
    SigningKey access, entry;
    Mirror mirror;
    std::unique_ptr<GuardedService> ticket;
    std::unique_ptr<Transport> to_ticket;
    std::unique_ptr<Gateway> gateway;
    AccountId account;
    EventId event;

    SigningKey key(TokenType type) {
        std::array<unsigned char, 32> seed;
        random.fill(seed);
        return SigningKey::from_seed(type, "k", seed);
    }
    Gateways() : access(key(TokenType::access)), entry(key(TokenType::entry)) {
        account = AccountId::make(clock.now(), random);
        event = EventId::make(clock.now(), random);
        CallerKeys callers;
        callers.emplace("gateway", HmacKey("g"));
        ticket = std::make_unique<GuardedService>("ticket", std::move(callers),
                                                  std::set<std::string, std::less<>>{}, clock);
        ticket->router().add<&Mirror::tell>(Method::get, "/api/v1/time", mirror);
        ticket->router().add<&Mirror::tell>(Method::post, "/api/v1/reservations", mirror);
        to_ticket = loopback(*ticket);
        Options options;
        options.keys.add(access);
        options.keys.add(entry);
        options.trusted = must(TrustedProxies::parse("127.0.0.1/32"));
        options.origins.insert("https://urr.example");
        options.caller_keys[std::size_t(Target::ticket)] = HmacKey("g");
        std::array<Transport*, targets> upstreams{};
        upstreams[std::size_t(Target::ticket)] = to_ticket.get();
        gateway = std::make_unique<Gateway>(std::move(options), clock, upstreams, nullptr);
    }
    std::string token(TokenType type, AccountId subject, Duration life = minutes(10)) {
        Claims claims;
        claims.type = type;
        claims.subject = subject;
        claims.event = event;
        claims.id = make_id_bytes(clock.now(), random);
        claims.issued = clock.now();
        claims.expires = clock.now() + life;
        claims.role = Role::user;
        return sign_token(type == TokenType::access ? access : entry, claims);
    }
    struct Answer {
        int status;
        JsonValue body;
        std::string headers;
    };
    Answer ask(Method method, std::string path,
               std::vector<std::pair<std::string, std::string>> headers,
               std::string peer = "9.9.9.9") {
        Request request;
        request.method = method;
        request.target = request.path = path;
        request.peer = *Address::parse(peer);
        for (const auto& [name, value] : headers) request.add_header(name, value);
        Response response;
        static constexpr auto run = [](Gateway& g, Request r, Response& out) -> Task<> {
            out = co_await g.handle(Context{}, r);
        };
        Loop::Enter in(&loop);
        Nursery nursery;
        nursery.spawn(run(*gateway, request, response));
        while (nursery.size()) world.step();
        return {response.status, must(parse_json(response.body.empty() ? "{}" : response.body)),
                response.headers};
    }
};

TEST_F(Gateways, state_who_calls_and_drop_what_clients_claim) {
    const std::string good = token(TokenType::access, account);
    Answer a = ask(Method::get, "/api/v1/time", {{"Authorization", "Bearer " + good}});
    EXPECT_EQ(a.body.text_of("account"), account.text());
    EXPECT_EQ(a.body.text_of("role"), "user");
    a = ask(Method::get, "/api/v1/time", {{"Cookie", "a=b; access_token=" + good}});
    EXPECT_EQ(a.body.text_of("account"), account.text());
    EXPECT_EQ(gateway->metrics().token_checks.value(), 1u); // the second time it was remembered
    a = ask(
        Method::get, "/api/v1/time",
        {{"X-User-Id", account.text()}, {"X-User-Role", "admin"}, {"X-Entry-Event", event.text()}});
    EXPECT_EQ(a.body.text_of("role"), "anonymous");
    EXPECT_EQ(a.body.text_of("event"), EventId{}.text());
    a = ask(Method::get, "/api/v1/time", {{"Authorization", "Bearer x." + good}});
    EXPECT_EQ(a.body.text_of("role"), "anonymous");
    clock.advance(minutes(11)); // a remembered token ends too
    a = ask(Method::get, "/api/v1/time", {{"Authorization", "Bearer " + good}});
    EXPECT_EQ(a.body.text_of("role"), "anonymous");
}

TEST_F(Gateways, the_entry_token_must_be_there_valid_and_ones_own) {
    const std::string bearer = "Bearer " + token(TokenType::access, account);
    const auto book = [&](std::string entry_token) {
        clock.advance(minutes(2)); // the booking limit is not what is tested
        const std::string fresh = "Bearer " + token(TokenType::access, account);
        return ask(Method::post, "/api/v1/reservations",
                   {{"Authorization", fresh}, {"x-queue-entry-token", entry_token}});
    };
    EXPECT_EQ(
        ask(Method::post, "/api/v1/reservations", {{"Authorization", bearer}}).body.text_of("code"),
        "ENTRY_TOKEN_REQUIRED");
    EXPECT_EQ(ask(Method::post, "/api/v1/reservations", {}).status, 401);
    EXPECT_EQ(
        book(token(TokenType::entry, AccountId::make(clock.now(), random))).body.text_of("code"),
        "ENTRY_TOKEN_INVALID");
    EXPECT_EQ(book(token(TokenType::access, account)).body.text_of("code"), "ENTRY_TOKEN_INVALID");
    EXPECT_EQ(book(token(TokenType::entry, account, seconds(0))).body.text_of("code"),
              "ENTRY_TOKEN_INVALID");
    const Answer ok = book(token(TokenType::entry, account));
    EXPECT_EQ(ok.status, 200);
    EXPECT_EQ(ok.body.text_of("event"), event.text());
}

TEST_F(Gateways, limits_count_per_account_and_recover) {
    const std::string bearer = "Bearer " + token(TokenType::access, account, hours(1));
    int passed = 0;
    for (int i = 0; i < 150; ++i)
        passed += ask(Method::get, "/api/v1/time", {{"Authorization", bearer}}).status == 200;
    EXPECT_EQ(passed, 100);
    const Answer refused = ask(Method::get, "/api/v1/time", {{"Authorization", bearer}});
    EXPECT_EQ(refused.status, 429);
    EXPECT_NE(refused.headers.find("Retry-After"), std::string::npos);
    EXPECT_EQ(ask(Method::get, "/api/v1/time", {}).status, 200); // others are not touched
    clock.advance(minutes(2));
    EXPECT_EQ(ask(Method::get, "/api/v1/time", {{"Authorization", bearer}}).status, 200);
}

TEST_F(Gateways, a_hundred_thousand_requests_of_one_account_pass_at_the_limit) {
    const std::string bearer = "Bearer " + token(TokenType::access, account, hours(1));
    int passed = 0;
    for (int i = 0; i < 100'000; ++i)
        passed += ask(Method::get, "/api/v1/time", {{"Authorization", bearer}}).status == 200;
    EXPECT_EQ(passed, 100);
}

TEST_F(Gateways, forwarded_addresses_are_believed_from_trusted_proxies_only) {
    EXPECT_EQ(
        ask(Method::get, "/api/v1/time", {{"X-Forwarded-For", "1.2.3.4"}}).body.text_of("from"),
        "9.9.9.9");
    EXPECT_EQ(
        ask(Method::get, "/api/v1/time", {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4"}}, "127.0.0.1")
            .body.text_of("from"),
        "1.2.3.4");
}

TEST_F(Gateways, answer_origins_they_know_also_on_errors) {
    const Answer known = ask(Method::get, "/nowhere", {{"Origin", "https://urr.example"}});
    EXPECT_EQ(known.status, 404);
    EXPECT_NE(known.headers.find("Access-Control-Allow-Origin: https://urr.example"),
              std::string::npos);
    const Answer foreign = ask(Method::get, "/api/v1/time", {{"Origin", "https://evil.example"}});
    EXPECT_EQ(foreign.headers.find("Access-Control"), std::string::npos);
    EXPECT_EQ(ask(Method::options, "/api/v1/time",
                  {{"Origin", "https://urr.example"}, {"Access-Control-Request-Method", "GET"}})
                  .status,
              204);
}

TEST(Policies, sort_paths) {
    EXPECT_EQ(target_of("/api/v1/authors"), std::nullopt);
    EXPECT_EQ(target_of("/api/v1/auth/login"), Target::auth);
    EXPECT_TRUE(needs_entry(Method::get, "/api/v1/seats/x/stream"));
    EXPECT_FALSE(needs_entry(Method::get, "/api/v1/reservations/mine"));
    EXPECT_FALSE(needs_entry(Method::post, "/api/v1/reservations/x/cancel"));
    EXPECT_EQ(limit_of(Method::get, "/api/v1/seats/x"), Limit::general);
    EXPECT_EQ(limit_of(Method::post, "/api/v1/seats/x/best"), Limit::booking);
    EXPECT_EQ(limit_of(Method::get, "/api/v1/auth/me"), Limit::exempt);
}

} // namespace
} // namespace urr::gateway
