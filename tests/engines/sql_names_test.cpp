// A database whose name comes to mean another server, as managed ones fail over.
#include <gtest/gtest.h>

#include "libs/async/run_to_end.hpp"
#include "tests/engines/sql_engine.hpp"

namespace urr::engines {
namespace {

struct ToldNames final : Names {
    std::vector<std::string> addresses, asked;
    Task<Result<std::vector<std::string>>> look_up(Context, std::string host) override {
        asked.push_back(host);
        co_await yield();
        if (addresses.empty()) co_return fail(Code::UNAVAILABLE, "no such name");
        co_return addresses;
    }
};

constexpr Statement nothing{"SELECT 1"};
constexpr auto look = [](Tx& tx) -> Task<Result<bool>> {
    TRY(co_await tx.run(nothing));
    co_return true;
};

Task<> until_it_answers(Database& database) {
    while (!co_await database.transact(Context{}, look))
        (void)co_await sleep(Context{}, milliseconds(20));
}

// The server is at 127.0.0.1 alone; at 127.0.0.9 nobody listens.
TEST(PostgresNames, are_looked_up_at_each_connect_so_that_a_failover_by_name_is_followed) {
    const PostgresServer& server = PostgresServer::get();
    const auto loop = make_asio_loop(hours(1));
    SystemRandom random;
    ToldNames names;
    PostgresOptions options;
    options.url = server.url("postgres", "postgres");
    const auto at = options.url.find("@127.0.0.1:");
    ASSERT_NE(at, std::string::npos);
    options.url.replace(at, 11, "@localhost:"); // as the certificate says
    options.random = &random;
    options.names = &names;
    const auto database = must(open_postgres(options, *loop));
    static constexpr auto test = [](ToldNames& told, Database& store) -> Task<> {
        const auto unknown = co_await store.transact(Context{}, look);
        EXPECT_EQ(unknown.error().code(), Code::UNAVAILABLE);
        told.addresses = {"127.0.0.9"};
        told.asked.clear();
        while (told.asked.size() < 4) (void)co_await sleep(Context{}, milliseconds(20));
        EXPECT_FALSE(co_await store.transact(Context{}, look));
        told.addresses = {"127.0.0.1"};
        co_await until_it_answers(store);
        EXPECT_EQ(told.asked.back(), "localhost");
        // Of several, the one that answers.
        told.addresses = {"127.0.0.9", "127.0.0.1"};
        PostgresServer::get().run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                  "application_name = 'urr' AND datname = 'postgres' AND "
                                  "pid <> pg_backend_pid()");
        co_await until_it_answers(store);
    };
    run_to_end(*loop, test(names, *database));
}

} // namespace
} // namespace urr::engines
