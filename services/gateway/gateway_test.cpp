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
        co_return json_response(
            200, "{\"account\":\"" + p.account.text() + "\",\"role\":\"" +
                     std::string(role_name(p.role)) + "\",\"event\":\"" + p.entry_event.text() +
                     "\",\"from\":\"" + std::string(request.header("X-Forwarded-For")) +
                     "\",\"email\":\"" + std::string(request.header("X-User-Email")) +
                     "\",\"requestId\":\"" + std::string(request.header("X-Request-Id")) +
                     "\",\"trace\":\"" + context.trace.id_text() + "\"}");
    }
    Task<Result<Response>> shared(Context, Request) {
        Response response = json_response(200, "{}");
        response.add("Cache-Control", "public, max-age=1");
        co_return response;
    }
};

// A transport that fails or answers as told, and counts.
struct Scripted final : Transport {
    std::optional<Code> failure;
    int status = 200, asked = 0;
    Task<Result<Response>> send(Context, Request) override {
        ++asked;
        if (failure) co_return fail(*failure);
        co_return json_response(status, "{}");
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
    Scripted queue;
    EndedSessions ended;
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
        ticket->router().add<&Mirror::tell>(Method::get, "/api/v1/reservations/mine", mirror);
        ticket->router().add<&Mirror::tell>(Method::post, "/api/v1/reservations/{id}/cancel",
                                            mirror);
        ticket->router().add<&Mirror::tell>(Method::get, "/api/v1/admin/events/{id}", mirror);
        ticket->router().add<&Mirror::tell>(Method::get, "/api/v1/seats/{id}/stream", mirror);
        ticket->router().add<&Mirror::shared>(Method::get, "/api/v1/time/shared", mirror);
        to_ticket = loopback(*ticket);
        Options options;
        options.keys.add(access);
        options.keys.add(entry);
        options.trusted = must(TrustedProxies::parse("127.0.0.1/32"));
        options.origins.insert("https://urr.example");
        options.caller_keys[std::size_t(Target::ticket)] = HmacKey("g");
        std::array<Transport*, targets> upstreams{};
        upstreams[std::size_t(Target::ticket)] = to_ticket.get();
        upstreams[std::size_t(Target::queue)] = &queue;
        random.fill(options.device_key);
        gateway =
            std::make_unique<Gateway>(std::move(options), clock, random, ended, upstreams, nullptr);
    }
    std::string token(TokenType type, AccountId subject, Duration life = minutes(10),
                      Role role = Role::user, SessionId session = {}) {
        Claims claims;
        claims.type = type;
        claims.subject = subject;
        claims.event = event;
        claims.id = make_id_bytes(clock.now(), random);
        claims.issued = clock.now();
        claims.expires = clock.now() + life;
        claims.role = role;
        claims.session = session;
        claims.email = "fan@urr.example";
        return sign_token(type == TokenType::access ? access : entry, claims);
    }
    struct Answer {
        int status;
        JsonValue body;
        std::string headers;
        std::string_view code() const { return body.text_of("code"); }
        std::string_view header(std::string_view name) const {
            Response only;
            only.headers = headers;
            const std::string_view found = only.header(name);
            return found.empty()
                       ? found
                       : std::string_view(headers).substr(headers.find(found), found.size());
        }
        bool has(std::string_view text) const { return headers.find(text) != std::string::npos; }
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
            Context context;
            context.trace = {7, 8, 9, true};
            out = co_await g.handle(context, r);
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

TEST_F(Gateways, let_larger_bodies_pass_on_an_upload_alone_and_from_who_may) {
    const auto admitted = [&](Method method, std::string path, Role role) {
        const std::string bearer = "Bearer " + token(TokenType::access, account, minutes(10), role);
        Request request;
        request.method = method;
        request.target = request.path = path;
        if (role != Role::anonymous) request.add_header("Authorization", bearer);
        const auto outcome = gateway->admit_large_body(request);
        return outcome ? Code() : outcome.error().code();
    };
    const std::string poster = "/api/v1/admin/events/" + event.text() + "/poster";
    EXPECT_EQ(admitted(Method::put, poster, Role::admin), Code());
    EXPECT_EQ(admitted(Method::put, poster, Role::staff), Code::FORBIDDEN);
    EXPECT_EQ(admitted(Method::put, poster, Role::user), Code::FORBIDDEN);
    EXPECT_EQ(admitted(Method::put, poster, Role::anonymous), Code::UNAUTHENTICATED);
    EXPECT_EQ(admitted(Method::del, poster, Role::admin), Code::BODY_TOO_LARGE);
    EXPECT_EQ(admitted(Method::post, poster, Role::admin), Code::METHOD_NOT_ALLOWED);
    EXPECT_EQ(admitted(Method::post, "/api/v1/admin/events", Role::admin), Code::BODY_TOO_LARGE);
    EXPECT_EQ(admitted(Method::put, "/api/v1/admin/other", Role::admin), Code::BODY_TOO_LARGE);

    // What is refused by its head has what every answer has.
    Request request;
    request.method = Method::post;
    request.target = request.path = poster;
    request.add_header("Origin", "https://urr.example");
    request.add_header("X-Request-Id", "upload-7");
    const Response refused =
        gateway->refuse_large_body(request, Context{}, gateway->admit_large_body(request).error());
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.header("Access-Control-Allow-Origin"), "https://urr.example");
    EXPECT_EQ(refused.header("X-Request-Id"), "upload-7");
    EXPECT_FALSE(refused.header("traceparent").empty());
    EXPECT_NE(refused.header("Allow").find("PUT"), std::string_view::npos);
}

TEST_F(Gateways, the_entry_token_must_be_there_valid_and_ones_own) {
    const std::string bearer = "Bearer " + token(TokenType::access, account);
    const auto book = [&](std::string entry_token) {
        clock.advance(minutes(2)); // the booking limit is not what is tested
        const std::string fresh = "Bearer " + token(TokenType::access, account);
        return ask(Method::post, "/api/v1/reservations",
                   {{"Authorization", fresh},
                    {"x-queue-entry-token", entry_token},
                    {"Idempotency-Key", "k"}});
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

TEST_F(Gateways, tell_the_service_the_address_of_the_account_and_no_other) {
    const std::string bearer = "Bearer " + token(TokenType::access, account);
    Answer a = ask(Method::get, "/api/v1/time",
                   {{"Authorization", bearer}, {"X-User-Email", "admin@urr.example"}});
    EXPECT_EQ(a.body.text_of("email"), "fan@urr.example");
    a = ask(Method::get, "/api/v1/time", {{"X-User-Email", "admin@urr.example"}});
    EXPECT_EQ(a.body.text_of("email"), "");
}

TEST_F(Gateways, a_route_for_users_is_refused_before_it_is_forwarded) {
    Answer a = ask(Method::get, "/api/v1/reservations/mine", {});
    EXPECT_EQ(a.status, 401);
    EXPECT_EQ(a.code(), "UNAUTHENTICATED");
    a = ask(Method::get, "/api/v1/reservations/mine", {{"Authorization", "Bearer nonsense"}});
    EXPECT_EQ(a.status, 401);
    EXPECT_EQ(a.code(), "TOKEN_INVALID");
    const std::string entry_token = token(TokenType::entry, account);
    a = ask(Method::get, "/api/v1/reservations/mine", {{"Authorization", "Bearer " + entry_token}});
    EXPECT_EQ(a.code(), "TOKEN_INVALID"); // only access tokens sign in
    a = ask(Method::post, "/api/v1/queue/" + event.text() + "/entry", {});
    EXPECT_EQ(a.code(), "UNAUTHENTICATED");
    EXPECT_EQ(queue.asked, 0);
}

TEST_F(Gateways, a_token_of_a_session_that_ended_is_refused_whether_seen_before_or_not) {
    const auto session = SessionId::make(clock.now(), random);
    const auto in = [&](SessionId of) {
        return "Bearer " + token(TokenType::access, account, minutes(30), Role::user, of);
    };
    const auto code = [&](const std::string& bearer) {
        return std::string(
            ask(Method::get, "/api/v1/reservations/mine", {{"Authorization", bearer}}).code());
    };
    const std::string seen = in(session), unseen = in(session), none = in({});
    const std::string other = in(SessionId::make(clock.now(), random));
    for (const std::string& good : {seen, other, none}) EXPECT_EQ(code(good), "");
    ended.end(session, clock.now() + minutes(31));
    EXPECT_EQ(code(seen), "TOKEN_INVALID");
    EXPECT_EQ(code(unseen), "TOKEN_INVALID");
    EXPECT_EQ(code(unseen), "TOKEN_INVALID"); // by now it has been seen
    EXPECT_EQ(code(other), "");
    EXPECT_EQ(code(none), ""); // from before tokens named their session
    const Answer open = ask(Method::get, "/api/v1/time", {{"Authorization", seen}});
    EXPECT_EQ(open.status, 200); // where nobody must be signed in he is nobody
    EXPECT_EQ(open.body.text_of("role"), "anonymous");
    EXPECT_EQ(open.body.text_of("email"), "");
}

TEST_F(Gateways, tokens_of_sessions_that_ended_use_up_nobodys_tries) {
    const auto session = SessionId::make(clock.now(), random);
    const std::string old =
        "Bearer " + token(TokenType::access, account, minutes(30), Role::user, session);
    ended.end(session, clock.now() + minutes(31));
    for (int i = 0; i < 70; ++i)
        EXPECT_EQ(ask(Method::get, "/api/v1/reservations/mine", {{"Authorization", old}}).code(),
                  "TOKEN_INVALID");
    const std::string fresh = "Bearer " + token(TokenType::access, account);
    EXPECT_EQ(ask(Method::get, "/api/v1/time", {{"Authorization", fresh}}).body.text_of("role"),
              "user");
    EXPECT_EQ(gateway->metrics().ended_tokens.value(), 70u);
    EXPECT_EQ(gateway->metrics().token_checks.value(), 2u);
}

TEST_F(Gateways, a_route_for_admins_is_for_admins) {
    const std::string path = "/api/v1/admin/events/" + event.text();
    const auto as = [&](Role role) {
        return ask(
            Method::get, path,
            {{"Authorization", "Bearer " + token(TokenType::access, account, minutes(10), role)}});
    };
    EXPECT_EQ(as(Role::user).code(), "FORBIDDEN");
    EXPECT_EQ(as(Role::staff).code(), "FORBIDDEN");
    EXPECT_EQ(as(Role::admin).status, 200);
}

TEST_F(Gateways, a_missing_idempotency_key_is_refused_after_the_entry_token) {
    const std::string bearer = "Bearer " + token(TokenType::access, account);
    const std::string entry_token = token(TokenType::entry, account);
    const Answer a = ask(Method::post, "/api/v1/reservations",
                         {{"Authorization", bearer}, {"x-queue-entry-token", entry_token}});
    EXPECT_EQ(a.status, 400);
    EXPECT_EQ(a.code(), "IDEMPOTENCY_KEY_REQUIRED");
}

TEST_F(Gateways, ones_own_reservations_need_no_entry_token) {
    const std::string bearer = "Bearer " + token(TokenType::access, account);
    EXPECT_EQ(ask(Method::get, "/api/v1/reservations/mine", {{"Authorization", bearer}}).status,
              200);
    EXPECT_EQ(ask(Method::post, "/api/v1/reservations/" + event.text() + "/cancel",
                  {{"Authorization", bearer}})
                  .status,
              200);
    const Answer stream =
        ask(Method::get, "/api/v1/seats/" + event.text() + "/stream", {{"Authorization", bearer}});
    EXPECT_EQ(stream.code(), "ENTRY_TOKEN_REQUIRED");
}

TEST_F(Gateways, the_entry_token_may_come_as_a_cookie) {
    const std::string cookie = "access_token=" + token(TokenType::access, account) +
                               "; urr-entry-token=" + token(TokenType::entry, account);
    const Answer a =
        ask(Method::get, "/api/v1/seats/" + event.text() + "/stream", {{"Cookie", cookie}});
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.body.text_of("event"), event.text());
    EXPECT_EQ(a.header("RateLimit-Limit"), ""); // an open stream counts against no limit
}

TEST_F(Gateways, a_request_id_is_taken_when_well_formed_and_always_returned) {
    const Answer own = ask(Method::get, "/api/v1/time", {{"X-Request-Id", "abc-1.2_Z"}});
    EXPECT_EQ(own.header("X-Request-Id"), "abc-1.2_Z");
    EXPECT_EQ(own.body.text_of("requestId"), "abc-1.2_Z");
    for (const std::string& bad :
         std::vector<std::string>{"", "with space", "a\"b", std::string(65, 'a')}) {
        const Answer made = ask(Method::get, "/api/v1/time", {{"X-Request-Id", bad}});
        EXPECT_EQ(made.header("X-Request-Id").size(), 32u) << bad;
        EXPECT_EQ(made.header("X-Request-Id"), made.body.text_of("requestId"));
    }
    const Answer refused = ask(Method::get, "/nowhere", {{"X-Request-Id", "abc"}});
    EXPECT_EQ(refused.status, 404);
    EXPECT_EQ(refused.header("X-Request-Id"), "abc");
}

TEST_F(Gateways, the_trace_goes_on_to_the_service_and_back_to_the_caller) {
    const Answer a = ask(Method::get, "/api/v1/time", {});
    const std::string trace = Trace{7, 8, 9, true}.id_text();
    EXPECT_EQ(a.body.text_of("trace"), trace);
    EXPECT_TRUE(a.header("traceparent").starts_with("00-" + trace));
}

TEST_F(Gateways, limits_are_told) {
    const Answer a = ask(Method::get, "/api/v1/time",
                         {{"Authorization", "Bearer " + token(TokenType::access, account)}});
    EXPECT_EQ(a.header("RateLimit-Limit"), "100");
    EXPECT_EQ(a.header("RateLimit-Remaining"), "99");
    EXPECT_NE(a.header("RateLimit-Reset"), "");
}

TEST_F(Gateways, booking_counts_writes_and_reads_are_general) {
    const std::string bearer = "Bearer " + token(TokenType::access, account, hours(1));
    const std::string path = "/api/v1/reservations/" + event.text() + "/cancel";
    int passed = 0;
    for (int i = 0; i < 20; ++i)
        passed += ask(Method::post, path, {{"Authorization", bearer}}).status == 200;
    EXPECT_EQ(passed, 10);
    EXPECT_EQ(ask(Method::get, "/api/v1/reservations/mine", {{"Authorization", bearer}}).status,
              200);
}

TEST_F(Gateways, the_window_slides) {
    const std::string bearer = "Bearer " + token(TokenType::access, account, hours(1));
    const auto passed = [&](int tries) {
        int count = 0;
        for (int i = 0; i < tries; ++i)
            count += ask(Method::get, "/api/v1/time", {{"Authorization", bearer}}).status == 200;
        return count;
    };
    EXPECT_EQ(passed(100), 100);
    clock.advance(seconds(59)); // the edge of a fixed window would forgive all at once
    clock.advance(seconds(2));
    EXPECT_LE(passed(100), 5);
    clock.advance(seconds(29)); // half of the last minute counts
    EXPECT_NEAR(passed(100), 50, 5);
}

TEST_F(Gateways, anonymous_devices_behind_one_address_are_told_apart) {
    const Answer first = ask(Method::get, "/api/v1/time", {});
    const std::string cookie(
        first.header("Set-Cookie").substr(0, first.header("Set-Cookie").find(';')));
    ASSERT_TRUE(cookie.starts_with("urr-device="));
    EXPECT_TRUE(first.has("HttpOnly"));
    EXPECT_EQ(first.header("RateLimit-Limit"), "5000"); // by the address: fifty times the limit
    int passed = 0;
    for (int i = 0; i < 150; ++i)
        passed += ask(Method::get, "/api/v1/time", {{"Cookie", cookie}}).status == 200;
    EXPECT_EQ(passed, 100); // this device has used up its limit
    EXPECT_EQ(ask(Method::get, "/api/v1/time", {}).status, 200); // others there have not
    const Answer known = ask(Method::get, "/api/v1/time", {{"Cookie", cookie}}, "9.9.9.10");
    EXPECT_EQ(known.header("Set-Cookie"), "");
    EXPECT_EQ(known.header("RateLimit-Limit"), "100");
}

TEST_F(Gateways, a_forged_device_cookie_is_none) {
    const Answer first = ask(Method::get, "/api/v1/time", {});
    std::string cookie(first.header("Set-Cookie").substr(0, first.header("Set-Cookie").find(';')));
    cookie[cookie.size() - 5] = cookie[cookie.size() - 5] == 'A' ? 'B' : 'A';
    EXPECT_EQ(ask(Method::get, "/api/v1/time", {{"Cookie", cookie}}).header("RateLimit-Limit"),
              "5000");
}

TEST_F(Gateways, an_address_has_fifty_times_the_limit) {
    int passed = 0;
    for (int i = 0; i < 5'100; ++i) passed += ask(Method::get, "/api/v1/time", {}).status == 200;
    EXPECT_EQ(passed, 5'000);
    EXPECT_EQ(ask(Method::get, "/api/v1/time", {}, "9.9.9.10").status, 200);
}

TEST_F(Gateways, no_device_cookie_goes_into_a_shared_cache) {
    const Answer a = ask(Method::get, "/api/v1/time/shared", {});
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.header("Set-Cookie"), "");
}

TEST_F(Gateways, who_sends_many_bad_tokens_waits_before_the_next_is_checked) {
    for (int i = 0; i < 60; ++i)
        EXPECT_EQ(
            ask(Method::get, "/api/v1/time", {{"Authorization", "Bearer bad" + std::to_string(i)}})
                .status,
            200);
    const auto checks = gateway->metrics().token_checks.value();
    const std::string fresh = "Bearer " + token(TokenType::access, account);
    EXPECT_EQ(ask(Method::get, "/api/v1/time", {{"Authorization", fresh}}).code(), "RATE_LIMITED");
    EXPECT_EQ(gateway->metrics().token_checks.value(), checks); // not even looked at
    EXPECT_EQ(ask(Method::get, "/api/v1/time", {{"Authorization", fresh}}, "9.9.9.10").status, 200);
    // What was good before is remembered and needs no check.
    EXPECT_EQ(ask(Method::get, "/api/v1/time", {{"Authorization", fresh}}).status, 200);
}

TEST_F(Gateways, say_which_methods_a_path_has) {
    const Answer a = ask(Method::del, "/api/v1/time", {});
    EXPECT_EQ(a.status, 405);
    EXPECT_EQ(a.header("Allow"), "GET, HEAD");
    EXPECT_EQ(ask(Method::other, "/api/v1/reservations", {}).header("Allow"), "POST");
}

TEST_F(Gateways, internal_routes_are_not_there) {
    EXPECT_EQ(ask(Method::get, "/internal/reservations/" + event.text(), {}).status, 404);
    EXPECT_EQ(ask(Method::put, "/vwr-api/vwr/rooms/" + event.text(), {}).status, 404);
    EXPECT_EQ(ask(Method::put, "/vwr/rooms/" + event.text(), {}).status, 404);
    EXPECT_EQ(ask(Method::get, "/vwr-api/api/v1/time", {}).status, 404);
}

TEST_F(Gateways, a_service_that_is_away_is_a_problem_and_then_left_alone_until_a_probe_succeeds) {
    const std::string path = "/api/v1/queue/" + event.text() + "/status";
    const std::string bearer = "Bearer " + token(TokenType::access, account, hours(1));
    const auto status = [&] { return ask(Method::get, path, {{"Authorization", bearer}}).status; };
    queue.failure = Code::UNAVAILABLE;
    for (int i = 0; i < Breaker::failures_max; ++i) EXPECT_EQ(status(), 503);
    EXPECT_EQ(queue.asked, Breaker::failures_max);
    EXPECT_EQ(status(), 503);
    EXPECT_EQ(queue.asked, Breaker::failures_max); // open: not asked
    clock.advance(seconds(3));
    EXPECT_EQ(status(), 503); // the probe
    EXPECT_EQ(status(), 503);
    EXPECT_EQ(queue.asked, Breaker::failures_max + 1);
    queue.failure.reset();
    clock.advance(seconds(3));
    EXPECT_EQ(status(), 200);
    EXPECT_EQ(status(), 200);
}

TEST_F(Gateways, failures_of_services_keep_their_kind) {
    const std::string path = "/api/v1/queue/" + event.text() + "/status";
    const std::string bearer = "Bearer " + token(TokenType::access, account);
    const std::pair<Code, int> kinds[] = {{Code::BAD_GATEWAY, 502},
                                          {Code::UNAVAILABLE, 503},
                                          {Code::OVERLOADED, 503},
                                          {Code::DEADLINE_EXCEEDED, 504}};
    for (const auto& [code, status] : kinds) {
        queue.failure = code;
        const Answer a = ask(Method::get, path, {{"Authorization", bearer}});
        EXPECT_EQ(a.status, status);
        EXPECT_EQ(a.code(), name(code));
        EXPECT_EQ(a.header("Retry-After") != "", status == 503);
    }
}

TEST_F(Gateways, caches_are_told_that_the_origin_matters) {
    EXPECT_TRUE(ask(Method::get, "/api/v1/time", {}).has("Vary: Origin"));
    const Answer preflight =
        ask(Method::options, "/api/v1/reservations",
            {{"Origin", "https://urr.example"}, {"Access-Control-Request-Method", "POST"}});
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(preflight.header("Access-Control-Allow-Credentials"), "true");
    for (const char* name :
         {"Authorization", "Content-Type", "Idempotency-Key", "x-queue-entry-token"})
        EXPECT_NE(preflight.header("Access-Control-Allow-Headers").find(name), std::string::npos);
    EXPECT_EQ(ask(Method::options, "/api/v1/reservations",
                  {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "POST"}})
                  .header("Access-Control-Allow-Origin"),
              "");
}

} // namespace
} // namespace urr::gateway
