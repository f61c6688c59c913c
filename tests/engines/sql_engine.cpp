#include "tests/engines/sql_engine.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "libs/sql/sqlite_database.hpp"

namespace urr::engines {

namespace fs = std::filesystem;

PostgresServer::PostgresServer() {
    const char* folder = std::getenv("URR_POSTGRES_DIR");
    if (!folder) {
        std::fputs("URR_POSTGRES_DIR is not set: run these tests by ctest, whose fixture starts "
                   "the server\n",
                   stderr);
        std::abort();
    }
    folder_ = folder;
    std::ifstream(folder_ + "/port") >> port_;
    if (const char* pooler = std::getenv("URR_PGBOUNCER_DIR"))
        std::ifstream(std::string(pooler) + "/port") >> pooler_port_;
    std::ifstream users(folder_ + "/users.txt");
    const auto unquoted = [](std::string text) { return text.substr(1, text.size() - 2); };
    for (std::string user, password; users >> user >> password;)
        passwords_[unquoted(user)] = unquoted(password);
}

const PostgresServer& PostgresServer::get() {
    static const PostgresServer server;
    return server;
}

std::string PostgresServer::url(std::string_view user, std::string_view database, int port) const {
    return "postgresql://" + std::string(user) + ":" + passwords_.find(user)->second +
           "@127.0.0.1:" + std::to_string(port ? port : port_) + "/" + std::string(database) +
           "?sslrootcert=" + folder_ + "/tls/ca.pem";
}

void PostgresServer::run(const std::string& sql, std::string_view database) const {
    must(run_postgres_script(url("postgres", database), sql));
}

void PostgresServer::script(const std::string& command) const {
    const std::string line = std::string(URR_SOURCE_DIR "/scripts/engines/postgres.sh ") + command +
                             " '" + folder_ + "' >/dev/null";
    ASSERT_EQ(std::system(line.c_str()), 0) << line;
}

TestStore::TestStore(Kind kind, RunLoop& loop, std::span<const Migration> migrations)
    : kind_(kind), loop_(loop) {
    static int count = 0;
    name_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
    if (kind == Kind::embedded) {
        const fs::path folder = fs::temp_directory_path() / ("urr_engines_" + name_);
        fs::create_directories(folder);
        SqliteOptions of;
        of.path = (folder / "store.db").string();
        of.clock = &clock_;
        auto database = must(open_sqlite(of));
        must(migrate(*database, migrations));
        embedded_ = std::move(database);
        return;
    }
    const PostgresServer& server = PostgresServer::get();
    server.run("CREATE DATABASE " + name_);
    options.url = server.url("postgres", name_);
    options.random = &random_;
    must(migrate_postgres(options.url, migrations, {}));
    if (kind != Kind::pooled) return;
    options.url = server.url("postgres", name_, server.pooler_port());
    options.pooled = true;
}

TestStore::~TestStore() {
    close_pools();
    embedded_.reset();
    if (kind_ == Kind::embedded)
        fs::remove_all(fs::temp_directory_path() / ("urr_engines_" + name_));
    else
        PostgresServer::get().run("DROP DATABASE " + name_ + " WITH (FORCE)");
}

Database& TestStore::pool(std::size_t number) {
    if (embedded_) return *embedded_;
    while (pools_.size() <= number) pools_.push_back(must(open_postgres(options, loop_)));
    return *pools_[number];
}

void TestStore::close_pools() { pools_.clear(); }

void run_on(RunLoop& loop, Task<> task) {
    static constexpr auto until_done = [](Task<> body, RunLoop& until) -> Task<> {
        co_await std::move(body);
        until.stop();
    };
    Nursery nursery;
    Loop::Enter in(&loop);
    nursery.spawn(until_done(std::move(task), loop));
    loop.run();
}

std::span<const Migration> test_tables() {
    static const Migration tables[] = {{1, "shared", shared_tables}, {2, "numbers and texts", R"sql(
CREATE TABLE numbers (
    name TEXT PRIMARY KEY,
    n INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE cells (
    id BLOB PRIMARY KEY,
    n INTEGER,
    t TEXT,
    b BLOB
) WITHOUT ROWID;
CREATE TABLE entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    what TEXT NOT NULL CHECK (what <> 'BLOB INTEGER')
);
)sql"}};
    return tables;
}

std::string kind_name(const testing::TestParamInfo<TestStore::Kind>& info) {
    constexpr const char* names[] = {"embedded", "postgres", "pooled"};
    return names[std::size_t(info.param)];
}

} // namespace urr::engines
