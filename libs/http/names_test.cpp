// What a client does when its server's name comes to mean another address: as managed services do
// when one of theirs fails or is replaced.
#include "libs/async/names.hpp"

#include "libs/async/run_to_end.hpp"
#include "libs/async/sim_loop.hpp"
#include "libs/http/test_server.hpp"

namespace urr {
namespace {

// Says what it is told to say.
struct ToldNames final : Names {
    std::vector<std::string> addresses;
    int questions = 0;
    bool silent = false; // until `answers` opens, or whoever asks has no patience left
    bool asked = false;  // and not answered yet
    Gate answers;
    Task<Result<std::vector<std::string>>> look_up(Context context, std::string) override {
        ++questions;
        asked = true;
        co_await yield();
        Result<> answered;
        if (silent) answered = co_await answers.wait(context);
        asked = false;
        if (!answered) co_return fail(answered.error().code(), "nobody answers");
        if (addresses.empty()) co_return fail(Code::UNAVAILABLE, "no such name");
        co_return addresses;
    }
};

// Tells which of them it is. The same port on another address of this machine.
struct Server {
    struct Here final : HttpHandler {
        std::string name;
        Task<Response> handle(Context, Request) override {
            co_return json_response(200, std::string(name));
        }
    } handler;
    std::unique_ptr<HttpServer> server;
    Server(RunLoop& loop, const std::string& address, std::uint16_t port = 0) {
        handler.name = address;
        server = must(listen_http(loop, address, port, handler, {}));
    }
};

struct NamesOfServers : testing::Test {
    std::unique_ptr<RunLoop> loop = make_asio_loop(hours(1));
    ToldNames names;

    std::unique_ptr<Transport> client(std::uint16_t port) {
        HttpTarget target;
        target.host = "service.example";
        target.port = port;
        target.names = &names;
        return connect_http(*loop, target, ClientLimits{});
    }
    static Task<std::string> ask(Transport& to) {
        Request request;
        request.target = request.path = "/";
        const auto answer = co_await to.send(Context{}, request);
        co_return answer ? answer->body : std::string(name(answer.error().code()));
    }
    void run(Task<> task) {
        Loop::Enter in(loop.get());
        run_to_end(*loop, std::move(task));
    }
};

Task<> moved(NamesOfServers& t) {
    auto first = std::make_unique<Server>(*t.loop, "127.0.0.1");
    const std::uint16_t port = first->server->port();
    Server second(*t.loop, "127.0.0.2", port);
    const auto client = t.client(port);
    EXPECT_EQ(co_await t.ask(*client), "UNAVAILABLE"); // no such name yet
    t.names.addresses = {"127.0.0.1"};
    (void)co_await sleep(Context{}, HostAddresses::asked_again);
    EXPECT_EQ(co_await t.ask(*client), "127.0.0.1");
    const int before = t.names.questions;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(co_await t.ask(*client), "127.0.0.1");
    EXPECT_EQ(t.names.questions, before);
    // The server dies, and its name means another one.
    first.reset();
    t.names.addresses = {"127.0.0.2"};
    std::string answer;
    while ((answer = co_await t.ask(*client)) == "UNAVAILABLE")
        (void)co_await sleep(Context{}, milliseconds(50));
    EXPECT_EQ(answer, "127.0.0.2");
    // Nobody answers questions: what is known is used.
    t.names.addresses.clear();
    EXPECT_EQ(co_await t.ask(*client), "127.0.0.2");
}
TEST_F(NamesOfServers, are_looked_up_again_when_nobody_answers_there) { run(moved(*this)); }

Task<> several(NamesOfServers& t) {
    Server only(*t.loop, "127.0.0.3");
    t.names.addresses = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
    const auto client = t.client(only.server->port());
    EXPECT_EQ(co_await t.ask(*client), "127.0.0.3");
    EXPECT_EQ(t.names.questions, 1);
}
TEST_F(NamesOfServers, with_several_addresses_are_tried_in_turn) { run(several(*this)); }

// Without servers, and by simulated time: what is promised for a second is no busy machine's
// matter.
struct NamesKept : testing::Test {
    SimWorld world{1};
    SimLoop loop{world};
    ToldNames names;

    void run(Task<> task) {
        Nursery nursery;
        {
            Loop::Enter in(&loop);
            nursery.spawn(std::move(task));
        }
        while (world.step()) {
        }
        EXPECT_TRUE(nursery.empty());
    }
};
Task<> a_moment() { (void)co_await sleep(Context{}, milliseconds(1)); }

Task<> kept(NamesKept& t) {
    HostAddresses addresses(t.names, "service.example");
    t.names.addresses = {"127.0.0.1"};
    const auto first = [&]() -> Task<std::string> {
        co_return must(co_await addresses.get(Context{}))[0];
    };
    EXPECT_EQ(co_await first(), "127.0.0.1");
    t.names.addresses = {"127.0.0.2"};
    EXPECT_EQ(co_await first(), "127.0.0.1");
    addresses.doubt(); // not asked again at once, however many come
    EXPECT_EQ(co_await first(), "127.0.0.1");
    EXPECT_EQ(t.names.questions, 1);
    (void)co_await sleep(Context{}, HostAddresses::asked_again);
    EXPECT_EQ(co_await first(), "127.0.0.2");
    EXPECT_EQ(t.names.questions, 2);
}
TEST_F(NamesKept, are_kept_for_a_while_and_asked_for_once) { run(kept(*this)); }

// What `get` says before anything else runs; empty: it waits.
struct AtOnce {
    std::string first;
    Nursery asking;
    explicit AtOnce(HostAddresses& addresses) { asking.spawn(ask(addresses)); }
    Task<> ask(HostAddresses& addresses) {
        const auto found = co_await addresses.get(Context{});
        first = found ? found->front() : std::string(name(found.error().code()));
    }
};

Task<> doubted(NamesKept& t) {
    HostAddresses addresses(t.names, "service.example");
    t.names.addresses = {"127.0.0.1"};
    must(co_await addresses.get(Context{}));
    t.names.silent = true;
    t.names.addresses = {"127.0.0.2"};
    addresses.doubt();
    (void)co_await sleep(Context{}, HostAddresses::asked_again);
    AtOnce early(addresses); // waits a moment for a better answer
    EXPECT_EQ(early.first, "");
    EXPECT_EQ(must(co_await addresses.get(Context{}))[0], "127.0.0.1");
    while (early.first.empty()) co_await a_moment();
    EXPECT_EQ(early.first, "127.0.0.1");
    EXPECT_TRUE(t.names.asked);
    addresses.trust(); // reached after all: nothing is waited for
    EXPECT_EQ(AtOnce(addresses).first, "127.0.0.1");
    EXPECT_TRUE(t.names.asked);
    t.names.answers.open();
    while (t.names.asked) co_await a_moment();
    EXPECT_EQ(must(co_await addresses.get(Context{}))[0], "127.0.0.2");
    EXPECT_EQ(t.names.questions, 2);
}
TEST_F(NamesKept, that_are_doubted_wait_a_moment_for_an_answer_and_are_used_then) {
    run(doubted(*this));
}

Task<> failing(NamesKept& t) {
    HostAddresses addresses(t.names, "service.example");
    t.names.addresses = {"127.0.0.1"};
    must(co_await addresses.get(Context{}));
    t.names.addresses.clear();
    for (int questions = 2; questions <= 3; ++questions) { // asked anew each second
        if (questions == 2) addresses.doubt();
        (void)co_await sleep(Context{}, HostAddresses::asked_again);
        EXPECT_EQ(must(co_await addresses.get(Context{}))[0], "127.0.0.1");
        addresses.trust();
        while (t.names.asked) co_await a_moment();
        EXPECT_EQ(t.names.questions, questions);
    }
}
TEST_F(NamesKept, whose_look_up_fails_are_used_as_they_are_known) { run(failing(*this)); }

// A server that is started again where it was, while nobody answers questions.
Task<> back(NamesOfServers& t) {
    t.names.addresses = {"127.0.0.1"};
    auto server = std::make_unique<Server>(*t.loop, "127.0.0.1");
    const std::uint16_t port = server->server->port();
    const auto client = t.client(port);
    EXPECT_EQ(co_await t.ask(*client), "127.0.0.1");
    server.reset();
    EXPECT_EQ(co_await t.ask(*client), "UNAVAILABLE");
    t.names.silent = true;
    server = std::make_unique<Server>(*t.loop, "127.0.0.1", port);
    (void)co_await sleep(Context{}, HostAddresses::asked_again);
    EXPECT_EQ(co_await t.ask(*client), "127.0.0.1");
    EXPECT_TRUE(t.names.asked);
}
TEST_F(NamesOfServers, that_nobody_looks_up_keep_no_client_from_its_server) { run(back(*this)); }

Task<> of_the_system(NamesOfServers& t) {
    const auto system = system_names(*t.loop);
    const auto local = must(co_await system->look_up(Context{}, "localhost"));
    EXPECT_TRUE(std::ranges::find(local, "127.0.0.1") != local.end());
    EXPECT_EQ(must(co_await system->look_up(Context{}, "192.0.2.1")),
              std::vector<std::string>{"192.0.2.1"});
    const auto none = co_await system->look_up(Context{}, "no-such-name.invalid");
    EXPECT_EQ(none.error().code(), Code::UNAVAILABLE);
    auto unheard = system->look_up(Context{}, "localhost"); // dropped before it is asked
}
TEST_F(NamesOfServers, are_looked_up_by_the_system_without_keeping_the_loop) {
    run(of_the_system(*this));
}

} // namespace
} // namespace urr
