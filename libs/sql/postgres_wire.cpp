#include "libs/sql/postgres_wire.hpp"

#include <endian.h>
#include <libpq-fe.h>

#include <algorithm>
#include <charconv>

#include "libs/sql/postgres_text.hpp"

namespace urr {

namespace {

// Object ids of the types that a result may have, as PostgreSQL's catalog fixes them.
constexpr Oid oid_bool = 16, oid_bytea = 17, oid_name = 19, oid_int8 = 20, oid_int2 = 21,
              oid_int4 = 23, oid_text = 25, oid_varchar = 1043, oid_any = 0, oid_bytea_array = 1001,
              oid_text_array = 1009, oid_int8_array = 1016;

constexpr int nulls_max = 3; // between two results stands one
constexpr std::size_t addresses_tried_max = 3;

struct ResultCleaner {
    void operator()(PGresult* result) const { PQclear(result); }
};
using ResultOwner = std::unique_ptr<PGresult, ResultCleaner>;

std::string trimmed(const char* text) {
    std::string out(text ? text : "");
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
    for (char& c : out)
        if (c == '\n' || c == '\t') c = ' ';
    return out;
}

std::int64_t integer_of(const char* data, int length) {
    if (length == 1) return data[0];
    if (length == 2) {
        std::uint16_t v;
        std::memcpy(&v, data, 2);
        return std::int16_t(be16toh(v));
    }
    if (length == 4) {
        std::uint32_t v;
        std::memcpy(&v, data, 4);
        return std::int32_t(be32toh(v));
    }
    std::uint64_t v;
    std::memcpy(&v, data, 8);
    return std::int64_t(be64toh(v));
}

bool add_cell(const PGresult* result, int row, int column, Rows& rows) {
    if (PQgetisnull(result, row, column)) {
        rows.add_null();
        return true;
    }
    const char* data = PQgetvalue(result, row, column);
    const int length = PQgetlength(result, row, column);
    switch (PQftype(result, column)) {
    case oid_bool:
    case oid_int2:
    case oid_int4:
    case oid_int8:
        rows.add_integer(integer_of(data, length));
        return true;
    case oid_text:
    case oid_varchar:
    case oid_name:
        rows.add_bytes(Value::Kind::text, {data, std::size_t(length)});
        return true;
    case oid_bytea:
        rows.add_bytes(Value::Kind::bytes, {data, std::size_t(length)});
        return true;
    default:
        return false;
    }
}

Answer failure_of(const PGresult* result) {
    const auto field = [result](int which) {
        const char* text = PQresultErrorField(result, which);
        return std::string(text ? text : "");
    };
    Answer answer;
    answer.kind = Answer::Kind::failed;
    answer.state = field(PG_DIAG_SQLSTATE);
    answer.text = field(PG_DIAG_MESSAGE_PRIMARY); // not the detail: it quotes rows
    const std::string severity = field(PG_DIAG_SEVERITY_NONLOCALIZED);
    answer.fatal = severity == "FATAL" || severity == "PANIC";
    if (!answer.state.empty()) return answer;
    answer.kind = Answer::Kind::lost; // libpq's own words: the server said nothing
    const char* text = PQresultErrorMessage(result);
    answer.text = trimmed(text);
    return answer;
}

Answer success_of(PGresult* result) {
    Answer answer;
    answer.kind = Answer::Kind::rows;
    const std::string_view tag(PQcmdStatus(result));
    answer.committed = tag == "COMMIT";
    if (tag.starts_with("INSERT") || tag.starts_with("UPDATE") || tag.starts_with("DELETE")) {
        const std::string_view count(PQcmdTuples(result));
        std::int64_t changes = 0;
        std::from_chars(count.data(), count.data() + count.size(), changes);
        answer.rows.set_changes(changes);
        answer.wrote = changes > 0;
    }
    if (PQresultStatus(result) == PGRES_TUPLES_OK && !read_rows(result, answer.rows)) {
        answer.kind = Answer::Kind::failed;
        answer.state = "0A000";
        answer.text = "a column has a type that the two databases do not share";
    }
    return answer;
}

Oid type_of(Value::Kind kind) {
    switch (kind) {
    case Value::Kind::null:
        return oid_any;
    case Value::Kind::integer:
        return oid_int8;
    case Value::Kind::text:
        return oid_text;
    case Value::Kind::bytes:
        return oid_bytea;
    case Value::Kind::integers:
        return oid_int8_array;
    case Value::Kind::texts:
        return oid_text_array;
    case Value::Kind::byte_strings:
        return oid_bytea_array;
    }
    return oid_any;
}

// The form in which libpq takes parameters.
struct Parameters {
    std::uint64_t numbers[Query::values_max];
    Oid types[Query::values_max];
    const char* values[Query::values_max];
    int lengths[Query::values_max], formats[Query::values_max];

    Parameters(const Value* given, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const Value& v = given[i];
            formats[i] = 1;
            lengths[i] = int(v.size);
            values[i] = v.data ? v.data : "";
            types[i] = type_of(v.kind);
            if (v.kind == Value::Kind::null) values[i] = nullptr;
            if (v.kind == Value::Kind::integer) {
                numbers[i] = htobe64(std::uint64_t(v.number));
                values[i] = reinterpret_cast<const char*>(&numbers[i]);
                lengths[i] = 8;
            }
        }
    }
};

} // namespace

bool read_rows(const PGresult* result, Rows& rows) {
    const int columns = PQnfields(result), count = PQntuples(result);
    rows.begin(std::size_t(columns));
    for (int row = 0; row < count; ++row)
        for (int column = 0; column < columns; ++column)
            if (!add_cell(result, row, column, rows)) return false;
    return true;
}

// Two statements may have one text for SQLite, at one address, and differ here.
static const char* text_key(const Statement& statement) {
    return statement.postgres ? statement.postgres : statement.sql;
}

PostgresWire::PostgresWire(RunLoop& loop, Names& names, bool pooled)
    : loop_(loop), names_(names), pooled_(pooled) {}
PostgresWire::~PostgresWire() { close(); }

void PostgresWire::close() {
    readiness_.reset();
    if (connection_) PQfinish(std::exchange(connection_, nullptr));
    expected_.clear();
    prepared_.clear();
    failure_.reset();
}

Task<bool> PostgresWire::socket_ready(bool writing, Instant deadline) {
    readiness_.reset();
    readiness_.emplace(
        loop_, PQsocket(connection_),
        static_cast<Readiness::Listener&>(*this)); // libpq may have taken another socket
    socket_.reset();
    readiness_->want(!writing, writing);
    Context until;
    until.deadline = deadline;
    co_return (co_await socket_.wait(until)).has_value();
}

// libpq goes on to the next host when one refuses, but not, while it does not block, when one is
// silent: so it gets one host at a time.
Task<Result<void>> PostgresWire::connect(PostgresTarget target, Duration within) {
    const std::vector<PostgresHost> hosts = hosts_of_postgres_url(target.url);
    std::string why;
    for (std::size_t tries = 0; tries < hosts.size(); ++tries) {
        auto end = co_await look_up_and_connect(target, hosts[next_host_++ % hosts.size()], within);
        if (end) co_return end;
        why += (why.empty() ? "" : "; ") + std::string(end.error().text());
    }
    co_return fail(Code::UNAVAILABLE, why);
}

// libpq would keep the loop for that. At each connect, so that a database that fails over by what
// its name means is found.
Task<Result<void>> PostgresWire::look_up_and_connect(const PostgresTarget& target,
                                                     const PostgresHost& host, Duration within) {
    const bool is_name = !host.host.empty() && host.host.front() != '/';
    if (!is_name || target.url.contains("hostaddr="))
        co_return co_await connect_to(target, host, "", within);
    Context context;
    context.deadline = loop_.now() + within;
    const auto found = co_await names_.look_up(context, host.host);
    if (!found) co_return fail(Code::UNAVAILABLE, std::string(found.error().text()));
    Result<void> end = fail(Code::UNAVAILABLE);
    for (std::size_t i = 0; i < std::min(found->size(), addresses_tried_max); ++i) {
        end = co_await connect_to(target, host, (*found)[i], within);
        if (end) break;
    }
    co_return end;
}

Task<Result<void>> PostgresWire::connect_to(const PostgresTarget& target, const PostgresHost& host,
                                            const std::string& address, Duration within) {
    close();
    // What stands before the URL may be said otherwise in it, what stands behind may not.
    const char* const words[] = {"sslmode",
                                 "target_session_attrs",
                                 "gssencmode",
                                 "application_name",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 "dbname",
                                 "client_encoding",
                                 "host",
                                 "port",
                                 address.empty() ? nullptr : "hostaddr",
                                 nullptr};
    const char* const values[] = {"verify-full",
                                  target.writable ? "read-write" : "any",
                                  "disable",
                                  "urr",
                                  "5",
                                  "2",
                                  "3",
                                  "10000",
                                  target.url.c_str(),
                                  "UTF8",
                                  host.host.empty() ? nullptr : host.host.c_str(),
                                  host.port.empty() ? nullptr : host.port.c_str(),
                                  address.c_str(),
                                  nullptr};
    const Instant deadline = loop_.now() + within;
    connection_ = PQconnectStartParams(words, values, 1);
    auto state = PGRES_POLLING_WRITING;
    if (!connection_ || PQstatus(connection_) == CONNECTION_BAD) state = PGRES_POLLING_FAILED;
    while (state != PGRES_POLLING_OK) {
        std::string why = "no answer";
        const bool failed = state == PGRES_POLLING_FAILED;
        if (failed && connection_) why = trimmed(PQerrorMessage(connection_));
        if (failed || !co_await socket_ready(state == PGRES_POLLING_WRITING, deadline)) {
            close();
            co_return fail(Code::UNAVAILABLE, why);
        }
        state = PQconnectPoll(connection_);
    }
    PQsetnonblocking(connection_, 1);
    PQenterPipelineMode(connection_);
    PQsetNoticeReceiver(connection_, [](void*, const PGresult*) {}, nullptr);
    readiness_.reset();
    readiness_.emplace(loop_, PQsocket(connection_), static_cast<Readiness::Listener&>(*this));
    co_return Result<void>{};
}

const std::string& PostgresWire::text_of(const Statement& statement) {
    std::string& text = texts_[text_key(statement)];
    if (text.empty()) text = postgres_statement(statement);
    return text;
}

PostgresWire::Prepared& PostgresWire::prepared_of(const Statement& statement, const Value* values,
                                                  std::size_t count, const unsigned* types) {
    std::uint64_t kinds = count;
    for (std::size_t i = 0; i < count; ++i)
        kinds =
            kinds << 2 | (std::uint64_t(values[i].kind) & 3); // where an array is, is always one
    Prepared& prepared = prepared_[{text_key(statement), kinds}];
    if (prepared.name.empty()) prepared.name = "s" + std::to_string(prepared_.size());
    if (prepared.state == Prepared::State::absent) {
        PQsendPrepare(connection_, prepared.name.c_str(), text_of(statement).c_str(), int(count),
                      types);
        prepared.state = Prepared::State::sent;
        expected_.push_back({Expected::What::preparation, &prepared});
    }
    return prepared;
}

void PostgresWire::send(const Statement& statement, const Value* values, std::size_t count) {
    if (!connection_) return;
    const Parameters p(values, count);
    int sent = 0;
    if (pooled_) {
        sent = PQsendQueryParams(connection_, text_of(statement).c_str(), int(count), p.types,
                                 p.values, p.lengths, p.formats, 1);
    } else {
        const Prepared& prepared = prepared_of(statement, values, count, p.types);
        sent = PQsendQueryPrepared(connection_, prepared.name.c_str(), int(count), p.values,
                                   p.lengths, p.formats, 1);
    }
    expected_.push_back({Expected::What::statement, nullptr});
    if (sent) return;
    lost_because_ = trimmed(PQerrorMessage(connection_));
    close();
}

void PostgresWire::flush() {
    if (!connection_) return;
    expected_.push_back({Expected::What::end, nullptr});
    if (PQpipelineSync(connection_)) return watch(PQflush(connection_) == 1);
    lost_because_ = trimmed(PQerrorMessage(connection_));
    close();
}

void PostgresWire::watch(bool writing) {
    if (readiness_ && (waiter_ || writing)) readiness_->want(true, writing);
}

void PostgresWire::ready() {
    if (!connection_ || PQpipelineStatus(connection_) == PQ_PIPELINE_OFF) return socket_.open();
    const bool writing = PQflush(connection_) == 1;
    if (!PQconsumeInput(connection_)) {
        lost_because_ = trimmed(PQerrorMessage(connection_));
        // What came before the end may hold the answer.
        if (PQisBusy(connection_)) close();
    }
    if (waiter_ && take(waiter_->answer)) {
        Next* waiter = std::exchange(waiter_, nullptr);
        waiter->cancel();
        return waiter->waiting.resume();
    }
    watch(writing);
}

bool PostgresWire::lose(Answer& answer) {
    answer = Answer{};
    answer.text = failure_ ? failure_->text : lost_because_;
    if (connection_ && answer.text.empty()) answer.text = trimmed(PQerrorMessage(connection_));
    close();
    return true;
}

bool PostgresWire::take(Answer& answer) {
    int nulls = 0;
    while (connection_ && !expected_.empty()) {
        if (PQisBusy(connection_)) {
            if (PQstatus(connection_) == CONNECTION_BAD) return lose(answer);
            return false;
        }
        const ResultOwner result(PQgetResult(connection_));
        if (!result) {
            if (++nulls > nulls_max) return lose(answer);
            continue;
        }
        nulls = 0;
        if (!digest(result.get(), answer)) continue;
        if (answer.kind == Answer::Kind::lost) close();
        return true;
    }
    return lose(answer);
}

bool PostgresWire::digest(pg_result* result, Answer& answer) {
    const auto status = PQresultStatus(result);
    const Expected expected = expected_.front();
    expected_.pop_front();
    const bool preparing = expected.what == Expected::What::preparation;
    if (status == PGRES_PIPELINE_SYNC) {
        failure_.reset();
        return false;
    }
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        if (preparing)
            expected.prepared->state = Prepared::State::there;
        else
            answer = success_of(result);
        return !preparing;
    }
    if (preparing) expected.prepared->state = Prepared::State::absent;
    if (status != PGRES_PIPELINE_ABORTED) failure_ = failure_of(result);
    if (!preparing && failure_) answer = *failure_;
    return !preparing;
}

PostgresWire::Next::Next(PostgresWire& of, Instant until) : wire(of), deadline(until) {
    fire = [](Node& node) { static_cast<Next&>(node).expire(); };
}

PostgresWire::Next::~Next() {
    if (wire.waiter_ == this) wire.waiter_ = nullptr;
}

void PostgresWire::Next::await_suspend(std::coroutine_handle<> caller) {
    waiting = caller;
    wire.waiter_ = this;
    wire.watch(false);
    wire.loop_.arm(*this, deadline);
}

void PostgresWire::Next::expire() {
    wire.waiter_ = nullptr;
    wire.lost_because_ = "no answer";
    wire.lose(answer);
    waiting.resume();
}

} // namespace urr
