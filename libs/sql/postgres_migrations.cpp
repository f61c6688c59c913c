#include "libs/sql/postgres_migrations.hpp"

#include <libpq-fe.h>

#include <memory>

#include "libs/sql/postgres_database.hpp"
#include "libs/sql/postgres_text.hpp"
#include "libs/sql/postgres_wire.hpp"

namespace urr {

namespace {

// One lock for all that changes a database's schema; the number is "urr" in ASCII.
constexpr const char* begin_alone = "BEGIN; SELECT pg_advisory_xact_lock(7697010); "
                                    "SET LOCAL lock_timeout = '3s'";
constexpr const char* make_versions =
    "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, name TEXT NOT NULL, "
    "applied_us BIGINT NOT NULL, needs BIGINT NOT NULL DEFAULT 0)";
constexpr const char* find_versions =
    "SELECT coalesce(max(version), 0), coalesce(max(needs), 0) FROM ";
constexpr const char* note_version =
    "INSERT INTO schema_version (version, name, applied_us, needs) VALUES ($1::bigint, $2, "
    "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint, $3::bigint)";
constexpr const char* find_table = "SELECT to_regclass($1) IS NOT NULL";
constexpr const char* find_views = "SELECT viewname FROM pg_views WHERE schemaname = 'public' "
                                   "AND starts_with(viewname, $1)";
constexpr int lock_tries_max = 10; // each waits three seconds behind whoever uses the table

class Connection {
public:
    static Result<std::unique_ptr<Connection>> open(const std::string& url,
                                                    std::string_view schema = "public") {
        TRY_PLAIN(check_postgres_url(url));
        const char* const words[] = {"sslmode",
                                     "connect_timeout",
                                     "application_name",
                                     "target_session_attrs",
                                     "dbname",
                                     "client_encoding",
                                     nullptr};
        const bool several = hosts_of_postgres_url(url).size() > 1;
        const char* const values[] = {
            "verify-full", "4",    "urr-migrate", several ? "read-write" : "any",
            url.c_str(),   "UTF8", nullptr};
        std::unique_ptr<Connection> made(new Connection(PQconnectdbParams(words, values, 1)));
        if (PQstatus(made->connection_) != CONNECTION_OK) return made->failure();
        PQsetNoticeReceiver(made->connection_, [](void*, const PGresult*) {}, nullptr);
        made->schema_ = made->quoted(std::string(schema));
        return made;
    }
    ~Connection() { PQfinish(connection_); }

    Result<> run(const std::string& script) {
        const Owned result(PQexec(connection_, script.c_str()), &PQclear);
        const auto status = PQresultStatus(result.get());
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
        const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
        state_ = state ? state : "";
        return failure();
    }
    // Rows of text.
    Result<std::vector<std::vector<std::string>>> ask(const char* sql,
                                                      const std::vector<std::string>& given = {}) {
        std::vector<const char*> values;
        for (const std::string& text : given) values.push_back(text.c_str());
        const Owned result(PQexecParams(connection_, sql, int(values.size()), nullptr,
                                        values.data(), nullptr, nullptr, 0),
                           &PQclear);
        const auto status = PQresultStatus(result.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return failure();
        std::vector<std::vector<std::string>> rows(std::size_t(PQntuples(result.get())));
        for (std::size_t r = 0; r < rows.size(); ++r)
            for (int c = 0; c < PQnfields(result.get()); ++c)
                rows[r].emplace_back(PQgetvalue(result.get(), int(r), c));
        return rows;
    }
    Result<Rows> rows_of(const std::string& sql) {
        const Owned result(
            PQexecParams(connection_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1),
            &PQclear);
        Rows rows;
        if (PQresultStatus(result.get()) != PGRES_TUPLES_OK || !read_rows(result.get(), rows))
            return failure();
        return rows;
    }
    // A name in quotes: names cannot be bound.
    std::string quoted(const std::string& name) {
        char* text = PQescapeIdentifier(connection_, name.data(), name.size());
        const std::string out(text ? text : "");
        PQfreemem(text);
        return out;
    }
    std::string database() { return PQdb(connection_); }
    std::string user() { return PQuser(connection_); }
    const std::string& schema() const { return schema_; } // in quotes
    // A transaction in which names without a schema are the schema's.
    Result<> begin() {
        TRY_PLAIN(run(begin_alone));
        return run("SET LOCAL search_path = " + schema_);
    }
    bool timed_out() const { return state_ == "55P03"; }

private:
    using Owned = std::unique_ptr<PGresult, decltype(&PQclear)>;
    explicit Connection(PGconn* connection) : connection_(connection) {}
    std::unexpected<Error> failure() {
        std::string text = PQerrorMessage(connection_);
        while (text.ends_with('\n')) text.pop_back();
        return fail(Code::UNAVAILABLE, text);
    }
    PGconn* connection_;
    std::string state_, schema_;
};

Result<SchemaState> state_of(Connection& to) {
    const std::string versions = to.schema() + ".schema_version";
    const auto there = TRY_PLAIN(to.ask(find_table, {versions}));
    if (there[0][0] != "t") return SchemaState{};
    const auto rows = TRY_PLAIN(to.ask((find_versions + versions).c_str()));
    return SchemaState{std::stoll(rows[0][0]), std::stoll(rows[0][1])};
}

Result<> apply(Connection& to, const Migration& migration) {
    TRY_PLAIN(to.begin());
    if (TRY_PLAIN(state_of(to)).version >= migration.version) return to.run("ROLLBACK");
    TRY_PLAIN(to.run(postgres_schema(migration.sql)));
    if (migration.postgres_too) TRY_PLAIN(to.run(migration.postgres_too));
    TRY_PLAIN(to.ask(note_version, {std::to_string(migration.version), migration.name,
                                    std::to_string(migration.needs)}));
    return to.run("COMMIT");
}

Result<> apply_patiently(Connection& to, const Migration& migration) {
    for (int tries = 1;; ++tries) {
        const auto applied = apply(to, migration);
        if (applied) return {};
        TRY_PLAIN(to.run("ROLLBACK"));
        if (!to.timed_out() || tries == lock_tries_max)
            return fail(Code::UNAVAILABLE, "migration " + std::to_string(migration.version) + " (" +
                                               migration.name +
                                               "): " + std::string(applied.error().text()));
    }
}

Result<> let_in(Connection& to, const std::string& user) {
    return to.run("GRANT CONNECT ON DATABASE " + to.quoted(to.database()) + " TO " + user +
                  "; GRANT USAGE ON SCHEMA " + to.schema() + " TO " + user);
}

Result<> give_rights(Connection& to, const StoreUsers& users) {
    TRY_PLAIN(to.begin());
    TRY_PLAIN(to.run("REVOKE ALL ON DATABASE " + to.quoted(to.database()) +
                     " FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC"));
    if (!users.writer.empty() && users.writer != to.user()) {
        const std::string writer = to.quoted(users.writer);
        TRY_PLAIN(let_in(to, writer));
        TRY_PLAIN(to.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " +
                         to.schema() + " TO " + writer +
                         "; REVOKE INSERT, UPDATE, DELETE ON schema_version FROM " + writer));
        for (const std::string_view table : users.append_only)
            TRY_PLAIN(to.run("REVOKE UPDATE, DELETE ON " + to.quoted(std::string(table)) +
                             " FROM " + writer));
    }
    if (!users.viewer.empty() && users.viewer != to.user()) {
        const std::string viewer = to.quoted(users.viewer);
        TRY_PLAIN(let_in(to, viewer));
        for (const auto& row : TRY_PLAIN(to.ask(find_views, {users.views})))
            TRY_PLAIN(to.run("GRANT SELECT ON public." + to.quoted(row[0]) + " TO " + viewer));
    }
    return to.run("COMMIT");
}

} // namespace

Result<> migrate_postgres(const std::string& owner_url, std::span<const Migration> migrations,
                          const StoreUsers& users, std::string_view schema) {
    const auto to = TRY_PLAIN(Connection::open(owner_url, schema));
    TRY_PLAIN(to->begin());
    TRY_PLAIN(to->run("CREATE SCHEMA IF NOT EXISTS " + to->schema()));
    TRY_PLAIN(to->run(make_versions));
    TRY_PLAIN(to->run("COMMIT"));
    const SchemaState there = TRY_PLAIN(state_of(*to));
    int known = 0;
    for (const Migration& migration : migrations) known = std::max(known, migration.version);
    if (there.needs > known) return judge_schema(there, migrations);
    for (const Migration& migration : migrations)
        if (migration.version > there.version) TRY_PLAIN(apply_patiently(*to, migration));
    return give_rights(*to, users);
}

Result<> check_postgres_schema(const std::string& url, std::span<const Migration> migrations,
                               std::string_view schema) {
    const auto to = TRY_PLAIN(Connection::open(url, schema));
    return judge_schema(TRY_PLAIN(state_of(*to)), migrations);
}

Result<> check_postgres_view(const std::string& url, const std::string& view) {
    const auto to = TRY_PLAIN(Connection::open(url));
    if (TRY_PLAIN(to->ask(find_table, {"public." + view}))[0][0] == "t") return {};
    return fail(Code::UNAVAILABLE, "the view " + view + " is missing: run 'urr migrate'");
}

Result<Rows> ask_postgres(const std::string& url, const Statement& statement) {
    return TRY_PLAIN(Connection::open(url))->rows_of(postgres_statement(statement));
}

Result<> run_postgres_script(const std::string& url, const std::string& sql) {
    return TRY_PLAIN(Connection::open(url))->run(sql);
}

} // namespace urr
