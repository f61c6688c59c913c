// The service of auth's tests: the whole component behind its face, reached by loopback as the
// gateway would, on a store in a file, with time turned by hand.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "libs/async/nursery.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/contract/shared_settings.hpp"
#include "libs/core/json.hpp"
#include "libs/core/must.hpp"
#include "libs/http/client.hpp"
#include "services/auth/component.hpp"

namespace urr::auth {

// A pool whose works are counted, and that can be full.
class CountedPool final : public Offload {
public:
    bool submit(Job& job) override {
        if (full) return false;
        ++works;
        return pool_->submit(job);
    }
    bool withdraw(Job& job) override { return pool_->withdraw(job); }
    int works = 0;
    bool full = false;

private:
    std::unique_ptr<Offload> pool_ = make_loop_offload();
};

struct Answer {
    int status = 0;
    JsonValue body;
    std::string headers;
    std::map<std::string, std::string> cookies; // those set
    std::string code() const { return std::string(body.text_of("code")); }
};

struct AuthWorld : testing::Test {
    using Headers = std::vector<std::pair<std::string, std::string>>;

    std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                   ("urr_auth_" + std::to_string(::getpid()) + "_" +
                                    testing::UnitTest::GetInstance()->current_test_info()->name());
    SimWorld world{1};
    SimLoop loop{world};
    SeededRandom random{7}, database_random{8};
    ManualClock clock{Instant{1'800'000'000'000'000}};
    SilentLog log;
    CountedPool pool;
    std::unique_ptr<Offload> files = make_loop_offload();
    SigningKey access_key;
    PublicKeys public_keys;
    std::map<std::string, std::string> given{{"URR_PASSWORD_MEMORY_KIB", "8"},
                                             {"URR_PASSWORD_PASSES", "1"}};

    std::unique_ptr<SqliteDatabase> database;
    std::unique_ptr<MailCarrier> mails;
    std::unique_ptr<EndedSessions> ended; // what this process knows
    std::unique_ptr<Component> component;
    std::unique_ptr<Transport> transport;
    std::unique_ptr<Nursery> jobs;

    AuthWorld() {
        std::filesystem::create_directories(folder);
        std::array<unsigned char, 32> seed;
        random.fill(seed);
        access_key = SigningKey::from_seed(TokenType::access, "k1", seed);
        public_keys.add(access_key);
        start();
    }
    ~AuthWorld() override {
        stop();
        std::filesystem::remove_all(folder);
    }
    Settings settings() const {
        std::vector<std::string> lines;
        for (const auto& [name, value] : given) lines.push_back(name + "=" + value);
        std::vector<char*> environment;
        for (std::string& line : lines) environment.push_back(line.data());
        environment.push_back(nullptr);
        return must(
            Settings::from_environment(environment.data(), {auth::settings, shared_settings}));
    }
    // The process starts; its jobs do not run until asked.
    void start() {
        Loop::Enter in(&loop);
        SqliteOptions options;
        options.path = (folder / "auth.db").string();
        options.clock = &clock;
        database = must(open_sqlite_on_loop(options, loop, database_random));
        must(migrate(*database, migrations));
        mails = make_folder_carrier(*files, outbox().string(), "URR <no-reply@urr.example>");
        CallerKeys callers;
        callers.emplace("gateway", HmacKey("gateway"));
        callers.emplace("catalog", HmacKey("catalog"));
        ended = std::make_unique<EndedSessions>();
        component = std::make_unique<Component>(
            settings(), Needs{*database, clock, random, log, pool, *mails, *ended, access_key,
                              public_keys, HmacKey("secret"), std::move(callers)});
        transport = loopback(component->face());
        jobs = std::make_unique<Nursery>();
        open();
    }
    void open() {
        static constexpr auto run = [](Component& one, bool& done) -> Task<> {
            must(co_await one.open(Context{}));
            done = true;
        };
        bool done = false;
        Nursery nursery;
        nursery.spawn(run(*component, done));
        while (!done && world.step()) {
        }
    }
    // The process dies with whatever was under way.
    void stop() {
        Loop::Enter in(&loop);
        jobs.reset();
        transport.reset();
        component.reset();
        ended.reset();
        mails.reset();
        database.reset();
    }
    void restart() {
        stop();
        start();
    }

    std::filesystem::path outbox() const { return folder / "outbox"; }
    void pass(Duration time) {
        clock.advance(time);
        world.run_until(world.now() + time);
    }
    void start_jobs() {
        Loop::Enter in(&loop);
        component->start_jobs(*jobs);
    }
    void run_jobs() {
        start_jobs();
        world.run_until(world.now() + seconds(1));
        Loop::Enter in(&loop);
        jobs->clear();
    }
    std::vector<std::string> mail_files() const {
        std::vector<std::string> texts;
        if (!std::filesystem::exists(outbox())) return texts;
        for (const auto& entry : std::filesystem::directory_iterator(outbox())) {
            EXPECT_EQ(entry.path().extension(), ".eml");
            std::ifstream file(entry.path(), std::ios::binary);
            texts.emplace_back(std::istreambuf_iterator<char>(file),
                               std::istreambuf_iterator<char>());
        }
        return texts;
    }
    static std::string code_of(const std::string& mail) {
        const std::size_t at = mail.find("Code: ");
        return at == std::string::npos ? "" : mail.substr(at + 6, mail.find('\r', at) - at - 6);
    }
    // The code of the one mail that is there, which is taken away.
    std::string mailed_code() {
        run_jobs();
        const auto texts = mail_files();
        std::filesystem::remove_all(outbox());
        EXPECT_EQ(texts.size(), 1u);
        return texts.empty() ? "" : code_of(texts.front());
    }

    static Answer read(Response response) {
        Answer answer{response.status, {}, response.headers, {}};
        if (!response.body.empty()) answer.body = must(parse_json(response.body));
        std::string_view rest = answer.headers;
        constexpr std::string_view mark = "Set-Cookie: ";
        for (std::size_t at = rest.find(mark); at != rest.npos; at = rest.find(mark)) {
            rest.remove_prefix(at + mark.size());
            const std::string_view pair = rest.substr(0, rest.find(';'));
            answer.cookies[std::string(pair.substr(0, pair.find('=')))] =
                pair.substr(pair.find('=') + 1);
        }
        return answer;
    }
    // A request that is under way; its answer is there when `done`.
    struct Call {
        std::string path, body, cookie, query;
        Headers headers;
        Method method;
        std::string caller;
        Principal principal;
        std::string address;
        Answer answer;
        bool done = false;
    };
    static Task<> run(Transport& to, const Clock& at, Call& call) {
        Request request;
        request.method = call.method;
        request.target = request.path = call.path;
        request.query = call.query;
        request.body = call.body;
        request.add_header("Content-Type", "application/json");
        request.add_header("X-Forwarded-For", call.address);
        if (!call.cookie.empty()) request.add_header("Cookie", call.cookie);
        for (const auto& [name, value] : call.headers) request.add_header(name, value);
        const CallerKey key{call.caller, HmacKey(call.caller)};
        const CallerHeaders assertion(key, "auth", call.principal, request, at.now());
        assertion.attach(request);
        call.answer = read(must(co_await to.send(Context{}, request)));
        call.done = true;
    }
    void begin(Nursery& nursery, Call& call) {
        Loop::Enter in(&loop);
        nursery.spawn(run(*transport, clock, call));
    }
    Answer ask(Call call) {
        Nursery nursery;
        begin(nursery, call);
        while (!call.done && world.step()) {
        }
        return std::move(call.answer);
    }
    static Call call(Method method, std::string path, std::string body = {},
                     Principal principal = {}, std::string refresh = {}) {
        Call c;
        c.method = method;
        c.path = "/api/v1/auth" + std::move(path);
        c.body = std::move(body);
        c.principal = principal;
        if (!refresh.empty()) c.cookie = "other=1; refresh_token=" + refresh;
        c.caller = "gateway";
        c.address = "203.0.113.5";
        return c;
    }

    // What a fan does most.
    static constexpr const char* good_password = "tr4mp-violet-91";
    Answer register_fan(const std::string& email, const std::string& password = good_password) {
        return ask(call(Method::post, "/register",
                        R"({"email":")" + email + R"(","password":")" + password +
                            R"(","name":"Kim Fan"})"));
    }
    Answer login(const std::string& email, const std::string& password = good_password,
                 std::string address = "203.0.113.5") {
        Call c = call(Method::post, "/login",
                      R"({"email":")" + email + R"(","password":")" + password + R"("})");
        c.address = std::move(address);
        return ask(std::move(c));
    }
    Answer refresh(const std::string& token) {
        return ask(call(Method::post, "/refresh", "", {}, token));
    }
    Claims claims_of(const Answer& answer) {
        return must(verify_token(public_keys, answer.cookies.at("access_token"), TokenType::access,
                                 clock.now()));
    }
    SessionId session_of(const Answer& answer) { return claims_of(answer).session; }
    // Its access token is refused from now on.
    bool has_ended(const Answer& answer) { return ended->has_ended(session_of(answer)); }
    // As the gateway reads the access token.
    Principal principal_of(const Answer& answer) {
        const Claims claims = claims_of(answer);
        Principal principal;
        principal.account = claims.subject;
        principal.role = claims.role;
        principal.verified = claims.email_verified;
        return principal;
    }
    // Registered, confirmed, signed in.
    Answer fan(const std::string& email) {
        EXPECT_EQ(register_fan(email).status, 201);
        const std::string code = mailed_code();
        EXPECT_EQ(ask(call(Method::post, "/confirm", R"({"token":")" + code + R"("})")).status,
                  200);
        return login(email);
    }
};

} // namespace urr::auth
