#include "tests/engines/sql_engine.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "libs/sql/sqlite_database.hpp"

namespace urr::engines {

namespace fs = std::filesystem;

namespace {

int number_in(const std::string& file) {
    int number = 0;
    std::ifstream(file) >> number;
    return number;
}

std::string folder_in(const char* variable) {
    if (const char* folder = std::getenv(variable)) return folder;
    std::fprintf(stderr,
                 "%s is not set: run these tests by ctest, whose fixture starts the server\n",
                 variable);
    std::abort();
}

bool runs(const std::string& words) { return std::system((words + " >/dev/null").c_str()) == 0; }
constexpr const char* script_path = URR_SOURCE_DIR "/scripts/engines/postgres.sh ";

} // namespace

PostgresServer::PostgresServer(std::string folder)
    : folder_(std::move(folder)), port_(number_in(folder_ + "/port")),
      replica_port_(number_in(folder_ + "/replica.port")) {
    std::ifstream users(folder_ + "/users.txt");
    const auto unquoted = [](std::string text) { return text.substr(1, text.size() - 2); };
    for (std::string user, password; users >> user >> password;)
        passwords_[unquoted(user)] = unquoted(password);
}

const PostgresServer& PostgresServer::get() {
    static const PostgresServer server(folder_in("URR_POSTGRES_DIR"));
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
    EXPECT_TRUE(runs(script_path + command + " '" + folder_ + "'")) << command;
}

bool PostgresServer::starts() const {
    return runs(script_path + ("start '" + folder_) + "' 2>/dev/null");
}

std::vector<pid_t> PostgresServer::processes(bool of_replica) const {
    static constexpr Statement serving{
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND pid <> pg_backend_pid()"};
    std::vector<pid_t> all{number_in(folder_ + (of_replica ? "/replica.pid" : "/main.pid"))};
    const Rows rows = must(
        ask_postgres(url("postgres", "postgres", of_replica ? replica_port_ : port_), serving));
    for (std::size_t i = 0; i < rows.size(); ++i) all.push_back(pid_t(rows.integer(i, 0)));
    return all;
}

OwnServer::OwnServer(const std::string& ports, const std::string& settings,
                     const fs::path& parent) {
    static int count = 0;
    folder_ = parent /
              ("urr_engines_server_" + std::to_string(::getpid()) + "_" + std::to_string(++count));
    fs::create_directories(folder_);
    EXPECT_TRUE(runs(settings + " " + script_path + "'" + folder_.string() + "' " + ports));
    server_ = std::make_unique<PostgresServer>(folder_.string());
}

OwnServer::~OwnServer() {
    server_->script("stop");
    fs::remove_all(folder_);
}

TestStore::TestStore(Kind kind, RunLoop& loop, std::span<const Migration> migrations,
                     const PostgresServer* server)
    : kind_(kind), loop_(loop), server_(server) {
    static int count = 0;
    name_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
    if (kind == Kind::embedded) {
        const fs::path folder = fs::temp_directory_path() / ("urr_engines_" + name_);
        fs::create_directories(folder);
        SqliteOptions of;
        of.path = (folder / "store.db").string();
        of.clock = &clock_;
        of.told = [this](std::string_view event, std::string_view detail) {
            if (options.told) options.told(event, detail);
        };
        auto database = must(open_sqlite(of));
        must(migrate(*database, migrations));
        embedded_ = std::move(database);
        return;
    }
    if (!server_) server_ = &PostgresServer::get();
    server_->run("CREATE DATABASE " + name_);
    options.url = server_->url("postgres", name_);
    options.random = &random_;
    must(migrate_postgres(options.url, migrations, {}));
    if (kind != Kind::pooled) return;
    const int port = number_in(folder_in("URR_PGBOUNCER_DIR") + "/port");
    options.url = server_->url("postgres", name_, port);
    options.pooled = true;
}

TestStore::~TestStore() {
    close_pools();
    embedded_.reset();
    if (kind_ == Kind::embedded)
        fs::remove_all(fs::temp_directory_path() / ("urr_engines_" + name_));
    else
        (void)run_postgres_script(server_->url("postgres", "postgres"),
                                  "DROP DATABASE " + name_ + " WITH (FORCE)");
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
