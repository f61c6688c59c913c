// One connection to PostgreSQL, at one loop: statements go out in a pipeline, answers come back in
// their order. For postgres_session.cpp alone; it knows nothing of works.
//
//     wire.send(begin); wire.send(statement, values, count); wire.flush();
//     Answer first = co_await wire.next(deadline);       // of `begin`
//
// Statements are prepared once per connection, unless it goes through a pooler that gives each
// transaction another server connection (`pooled`). A connection that is lost, or does not answer
// until a deadline, is closed: every answer still awaited is `lost`.
#pragma once
#include <deque>
#include <map>
#include <optional>

#include "libs/async/readiness.hpp"
#include "libs/async/wait.hpp"
#include "libs/sql/postgres_database.hpp"

struct pg_conn;
struct pg_result;

namespace urr {

// Adds a result's rows. False: a column has a type that the two databases do not share.
bool read_rows(const pg_result* result, Rows& rows);

struct PostgresTarget {
    std::string url;
    bool writable = true; // a server that takes no writes is not taken
};

struct Answer {
    enum class Kind : std::uint8_t { rows, failed, lost };
    Kind kind = Kind::lost;
    bool wrote = false;     // rows were inserted, updated or deleted
    bool committed = false; // the answer to a COMMIT that took place
    bool fatal = false;     // the server ends the connection
    Rows rows;
    std::string state; // SQLSTATE
    std::string text;
    bool good() const { return kind == Kind::rows; }
};

class PostgresWire final : Readiness::Listener {
public:
    PostgresWire(RunLoop& loop, Names& names, bool pooled);
    ~PostgresWire();
    PostgresWire(const PostgresWire&) = delete;
    PostgresWire& operator=(const PostgresWire&) = delete;

    // Closes what there was. Of several hosts each is tried for so long, first the one after that
    // which was lost. UNAVAILABLE with libpq's text, which holds no password.
    Task<Result<void>> connect(PostgresTarget target, Duration within);
    bool usable() const { return connection_ != nullptr; }
    void close();

    void send(const Statement& statement, const Value* values = nullptr, std::size_t count = 0);
    // Ends a round trip: the server answers now, and starts afresh after a failed statement.
    void flush();

    struct [[nodiscard]] Next : Resume {
        PostgresWire& wire;
        Instant deadline;
        Answer answer;
        Next(PostgresWire& of, Instant until);
        ~Next();
        bool await_ready() { return wire.take(answer); }
        void await_suspend(std::coroutine_handle<> caller);
        Answer await_resume() { return std::move(answer); }
        void expire();
    };
    // The answer to the oldest statement that was sent and not answered.
    Next next(Instant deadline) { return Next(*this, deadline); }

private:
    struct Prepared {
        enum class State : std::uint8_t { absent, sent, there } state = State::absent;
        std::string name;
    };
    using PreparedKey = std::pair<const char*, std::uint64_t>; // text, kinds of the parameters
    struct Expected {
        enum class What : std::uint8_t { statement, preparation, end } what;
        Prepared* prepared = nullptr;
    };

    Task<Result<void>> look_up_and_connect(const PostgresTarget& target, const PostgresHost& host,
                                           Duration within);
    // `address`: what the host's name means; empty: libpq finds it.
    Task<Result<void>> connect_to(const PostgresTarget& target, const PostgresHost& host,
                                  const std::string& address, Duration within);
    void ready() override;
    void watch(bool writing);
    // Waits until the descriptor is ready; false at the deadline.
    Task<bool> socket_ready(bool writing, Instant deadline);
    // True: `answer` is set. False: it has not come yet.
    bool take(Answer& answer);
    bool lose(Answer& answer);
    // True: the result is the answer to a statement.
    bool digest(pg_result* result, Answer& answer);
    const std::string& text_of(const Statement& statement);
    Prepared& prepared_of(const Statement& statement, const Value* values, std::size_t count,
                          const unsigned* types);

    RunLoop& loop_;
    Names& names_;
    const bool pooled_;
    std::size_t next_host_ = 0; // of the URL's: whom to try first
    pg_conn* connection_ = nullptr;
    std::optional<Readiness> readiness_;
    std::deque<Expected> expected_;
    std::map<PreparedKey, Prepared> prepared_;
    std::map<const char*, std::string> texts_;
    std::optional<Answer> failure_; // of this round trip; what follows it was not run
    Next* waiter_ = nullptr;
    Gate socket_;
    std::string lost_because_;
};

} // namespace urr
