// What the conformance suites of Database run on: an embedded store, or a database of its own in
// the real PostgreSQL that the fixture has started (URR_POSTGRES_DIR tells where), also through
// PgBouncer. Several pools stand for several processes; the embedded store has one writer, and
// gives everybody the same.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>

#include "libs/async/nursery.hpp"
#include "libs/core/must.hpp"
#include "libs/sql/migrations.hpp"
#include "libs/sql/postgres_database.hpp"
#include "libs/sql/postgres_migrations.hpp"

namespace urr::engines {

// A server that scripts/engines/postgres.sh has started in a folder.
class PostgresServer {
public:
    static const PostgresServer& get(); // the fixture's
    explicit PostgresServer(std::string folder);
    const std::string& folder() const { return folder_; }
    std::string url(std::string_view user, std::string_view database, int port = 0) const;
    // A statement as superuser.
    void run(const std::string& sql, std::string_view database = "postgres") const;
    void script(const std::string& command) const; // of scripts/engines/postgres.sh
    bool starts() const;                           // after it ended; false: not, or it runs
    int port() const { return port_; }
    int replica_port() const { return replica_port_; }
    // The server's process and those that serve connections now: for signals.
    std::vector<pid_t> processes(bool of_replica = false) const;

private:
    std::string folder_;
    int port_ = 0, replica_port_ = 0;
    std::map<std::string, std::string, std::less<>> passwords_;
};

// A server of one test, gone with it.
class OwnServer {
public:
    // `settings`: of the script, as NAME=VALUE.
    explicit OwnServer(
        const std::string& ports, const std::string& settings = "",
        const std::filesystem::path& parent = std::filesystem::temp_directory_path());
    ~OwnServer();
    const PostgresServer& operator*() const { return *server_; }
    const PostgresServer* operator->() const { return server_.get(); }

private:
    std::filesystem::path folder_;
    std::unique_ptr<PostgresServer> server_;
};

// A store of one test, gone with it.
class TestStore {
public:
    enum class Kind : std::uint8_t { embedded, postgres, pooled };
    // `server`: of PostgreSQL, where it is not the fixture's.
    TestStore(Kind kind, RunLoop& loop, std::span<const Migration> migrations,
              const PostgresServer* server = nullptr);
    ~TestStore();

    // The `number`th pool.
    Database& pool(std::size_t number = 0);
    // For PostgreSQL: what pools that are opened from now on have; `told` also of an embedded one,
    // at its writer's thread, if it is set before the first work.
    PostgresOptions options;
    const std::string& database_name() const { return name_; }
    void close_pools();

private:
    const Kind kind_;
    RunLoop& loop_;
    const PostgresServer* server_;
    std::string name_;
    SystemClock clock_;
    SystemRandom random_;
    std::unique_ptr<Database> embedded_;
    std::vector<std::unique_ptr<Database>> pools_;
};

// Runs a task to its end on the loop.
void run_on(RunLoop& loop, Task<> task);

// The tables of the tests, beside the shared ones.
std::span<const Migration> test_tables();

struct OnBoth : testing::TestWithParam<TestStore::Kind> {
    std::unique_ptr<RunLoop> loop = make_asio_loop(seconds(10));
    std::unique_ptr<TestStore> store =
        std::make_unique<TestStore>(GetParam(), *loop, test_tables());
    ~OnBoth() override { store.reset(); }
};

std::string kind_name(const testing::TestParamInfo<TestStore::Kind>& info);
inline const auto every_kind =
    testing::Values(TestStore::Kind::embedded, TestStore::Kind::postgres, TestStore::Kind::pooled);
inline const auto both_kinds =
    testing::Values(TestStore::Kind::embedded, TestStore::Kind::postgres);

} // namespace urr::engines
