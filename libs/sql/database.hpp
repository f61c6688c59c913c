// Database: the relational store of a service, and `transact`, the one way to change it.
//
//     auto work = [](Tx& tx, EventId event, int seat) -> Task<Result<Held>> {
//         Rows rows = TRY(co_await tx.run(lock_seat, {event, seat}));
//         ...
//         co_return Held{...};                       // commits; an Error rolls this work back
//     };
//     Held held = TRY(co_await database.transact(context, work, event, seat));
//
// A work is a coroutine that awaits nothing but its transaction; it owns its inputs, touches
// nothing else and returns a value. It may run more than once (a lost batch, a deadlock elsewhere),
// so it has no effect but its statements. Several processes may work on one PostgreSQL database at
// once, at READ COMMITTED: what a work reads and then relies on, it locks (a Statement's second
// form), or it guards the write that follows and looks at changes(). Many works share one commit
// (group commit): latency under no load is that of one write, throughput under load that of the
// disk.
//
// Answers besides the work's own errors:
//   OVERLOADED         the queue is full; nothing was done
//   DEADLINE_EXCEEDED  the deadline came before the work was begun; nothing was done
//   OUTCOME_UNKNOWN    begun, and nobody knows (the disk failed at the commit, or the deadline came
//                      while it ran): ask again by the idempotency key
//   UNAVAILABLE        the store refused the batch; nothing was done. is_lock_kept(error): somebody
//                      keeps a lock that the work needs
//
// `transact_whole` is for a work that is many requests already: its transaction is its own, so that
// it waits for no other work and none for it. It is not repeated where it meets others' locks, and
// has one more answer, after which nothing was done:
//   CONFLICT           its locks crossed another's, or another wrote a row that it was to make
//
// `read` runs a work on a snapshot beside the writer; its statements must not write. `read_within`
// lets it be that old: a replica may answer.
#pragma once
#include <atomic>
#include <initializer_list>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>

#include "libs/async/task.hpp"
#include "libs/async/wait.hpp"
#include "libs/sql/value.hpp"

namespace urr {

// One SQL statement, a constant of the program: engines cache by its address. Parameters are ?1,
// ?2. `postgres`: its form there, where the shared one will not do (row locks).
struct Statement {
    const char* sql;
    const char* postgres = nullptr;
};

class Tx;

// A statement under way; awaitable. Completes inline where the engine is embedded; another engine
// keeps it until the answer is in and then resumes the work.
struct [[nodiscard]] Query {
    static constexpr std::size_t values_max = 24;

    Tx& tx;
    const Statement& statement;
    Value values[values_max];
    std::size_t count = 0;
    Result<Rows> result;
    Query* also = nullptr; // travels with this one
    bool final = false;    // with those that travel along
    std::coroutine_handle<> waiting;

    Query(Tx& in, const Statement& what, std::initializer_list<Value> given)
        : tx(in), statement(what) {
        for (const Value& value : given) values[count++] = value;
    }
    // Sends `second` in the same exchange, to run behind this one: when this one was awaited, its
    // result is there too. A failure of either is this one's. `second` lives until then.
    Query& with(Query& second) {
        Query** last = &also;
        while (*last) last = &(*last)->also;
        *last = &second;
        return *this;
    }
    // The work has no statement behind these and does not refuse once they have succeeded, else it
    // is answered INTERNAL, committed or not: its commit travels with them where nothing shares the
    // transaction (one work alone, or transact_whole). A work that shares it commits with others.
    Query& and_commit() {
        final = true;
        return *this;
    }
    // The same for a work that only reads, where it is called; in one that writes it says nothing,
    // so that both may share a function.
    inline Query& and_end_reading();
    inline bool await_ready();
    void await_suspend(std::coroutine_handle<> caller) { waiting = caller; }
    Result<Rows> await_resume() { return std::move(result); }
};

class Tx {
public:
    // The store's time: one value per batch, never backwards.
    Instant now;
    // A statement failed: the work cannot commit any more, whatever it answers.
    bool failed = false;
    // This batch wrote to the outbox.
    bool has_events = false;
    // The work was given to `read`; PostgreSQL's sessions say so, for and_end_reading.
    bool is_reading = false;

    Query run(const Statement& statement, std::initializer_list<Value> values = {}) {
        return Query(*this, statement, values);
    }
    // For the engines: true when the query was done inline; otherwise it is done with all that
    // travel with it.
    virtual bool start(Query& query) = 0;

protected:
    ~Tx() = default;
};

inline Query& Query::and_end_reading() {
    if (tx.is_reading) final = true;
    return *this;
}

// All of `queries`, at least one, in one exchange and in their order: to be awaited. They live
// until then.
inline Query& together(std::span<Query> queries) {
    for (std::size_t i = 1; i < queries.size(); ++i) queries[i - 1].also = &queries[i];
    return queries.front();
}

inline bool Query::await_ready() {
    if (!tx.start(*this)) return false;
    for (Query* query = also; query && result; query = query->also) {
        tx.start(*query);
        if (!query->result) result = fail(query->result.error().clone());
    }
    return true;
}

// How a work is to be run.
struct Manner {
    bool reading = false;
    Duration staleness{}; // of a read: how old its snapshot may be
    bool whole = false;   // its transaction is its own
};

// A work in the engine's queue. Two owners: the caller's awaitable and the engine.
struct Job : Node {
    enum State : std::uint8_t { queued, taken, abandoned };

    Job* link = nullptr; // the engine's queue
    Loop* home = nullptr;
    Instant deadline = never;
    Manner manner;
    std::atomic<std::uint8_t> state{queued};
    std::atomic<int> references{2};
    struct PendingBase* pending = nullptr; // home's thread alone

    Job();
    virtual ~Job() = default;
    // Begins the work, anew each time. True: it is over and left an outcome. False: it waits, for
    // its query if it is sound.
    virtual bool start(Tx& tx) noexcept = 0;
    // Goes on with the query's result; the same answers.
    virtual bool resume(Query& query) noexcept = 0;
    // Ends a work that waits, without an outcome.
    virtual void drop() noexcept = 0;
    // For engines whose statements complete inline: leaves an outcome in every case.
    void run(Tx& tx) noexcept;
    // Ends a work that waits for something else than its transaction.
    void refuse() noexcept;
    virtual bool succeeded() const = 0;
    // Replaces the outcome by a failure.
    virtual void settle(Error error) = 0;
    void release() {
        if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
};

// What the caller's frame holds while its work is queued or runs.
struct PendingBase : Resume {
    enum class End : std::uint8_t { answered, deadline, unknown, full };
    Job* job = nullptr;
    End end = End::answered;

    PendingBase();
    ~PendingBase();
    void expire();
};

// Told after each commit that wrote to the outbox, on whichever thread: the relay.
class CommitListener {
public:
    virtual void events_committed() = 0;

protected:
    ~CommitListener() = default;
};

// What an engine has done, for figures. `rolled_back`: works that were undone alone; `retried`:
// batches that met another's locks; `unknown_batches`: nobody can say whether they were committed.
struct StoreCounters {
    std::uint64_t batches = 0, works = 0, rolled_back = 0, dropped = 0, lost_batches = 0;
    std::uint64_t retried = 0, unknown_batches = 0, reconnects = 0, clock_jumps = 0;
    // The clock behind the store's time went back: time ran on from the stored one.
    bool clock_was_set_back = false;
};

class Database {
public:
    Database();
    virtual ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // At most one; nullptr: nobody. After it returns the former one is not called any more.
    void listen(CommitListener* listener);

    // False: the queue is full. Any loop's thread. `reading`: on a snapshot.
    virtual bool submit(Job& job, bool reading) = 0;
    // False while the store takes no work: embedded, until a restart repairs it; otherwise, until
    // its server is back.
    virtual bool healthy() const = 0;
    // Any thread.
    virtual StoreCounters counters() const = 0;
    // May one statement take many rows as arrays (array.hpp)? Where a statement is a call in
    // this process nothing is gained by it.
    virtual bool takes_arrays() const { return false; }

    template <class Work, class... Arguments>
    auto transact(const Context& context, Work, Arguments... arguments);
    template <class Work, class... Arguments>
    auto transact_whole(const Context& context, Work, Arguments... arguments);
    template <class Work, class... Arguments>
    auto read(const Context& context, Work, Arguments... arguments);
    template <class Work, class... Arguments>
    auto read_within(Duration staleness, const Context& context, Work, Arguments... arguments);

protected:
    // For the engines.
    void tell_listener();

private:
    struct Listening;
    std::unique_ptr<Listening> listening_;
};

namespace detail {

template <class Out, class Work, class... Arguments>
struct WorkJob final : Job {
    std::tuple<Arguments...> arguments;
    Task<Result<Out>> task; // of this attempt; it refers to the arguments
    Result<Out> out = fail(Code::OUTCOME_UNKNOWN);

    explicit WorkJob(Arguments&&... given) : arguments(std::move(given)...) {}
    bool start(Tx& tx) noexcept override {
        out = fail(Code::OUTCOME_UNKNOWN);
        try {
            task = std::apply([&](const Arguments&... copies) { return Work{}(tx, copies...); },
                              arguments);
            task.start();
        } catch (const std::exception& e) {
            out = fail(Code::INTERNAL, e.what());
            return true;
        }
        return over();
    }
    bool resume(Query& query) noexcept override {
        query.waiting.resume();
        return over();
    }
    void drop() noexcept override { task.reset(); }
    bool over() noexcept {
        if (!task.done()) return false;
        try {
            out = task.take();
        } catch (const std::exception& e) {
            out = fail(Code::INTERNAL, e.what());
        } catch (...) {
            out = fail(Code::INTERNAL, "a work threw");
        }
        task.reset();
        return true;
    }
    bool succeeded() const override { return out.has_value(); }
    void settle(Error error) override { out = fail(std::move(error)); }
};

template <class Out, class Work, class... Arguments>
struct [[nodiscard]] Pending : PendingBase {
    Database& database;
    bool reading;

    Pending(Database& in, const Context& context, Manner manner, Arguments&&... arguments)
        : database(in), reading(manner.reading) {
        job = new WorkJob<Out, Work, Arguments...>(std::move(arguments)...);
        job->deadline = context.deadline;
        job->manner = manner;
    }
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> caller) {
        waiting = caller;
        job->home = &Loop::here();
        job->pending = this;
        if (!database.submit(*job, reading)) {
            job->release();
            end = End::full;
            return false;
        }
        if (job->deadline != never) job->home->arm(*this, job->deadline);
        return true;
    }
    Result<Out> await_resume() {
        switch (end) {
        case End::answered:
            return std::move(static_cast<WorkJob<Out, Work, Arguments...>*>(job)->out);
        case End::deadline:
            return fail(Code::DEADLINE_EXCEEDED);
        case End::unknown: // a read that was under way has changed nothing
            return fail(reading ? Code::DEADLINE_EXCEEDED : Code::OUTCOME_UNKNOWN);
        case End::full:
            break;
        }
        if (!database.healthy()) return fail(Code::UNAVAILABLE, "the store takes no work now");
        return fail(Error(Code::OVERLOADED).retry_after(1));
    }
};

template <class Work, class... Arguments>
using WorkOut =
    typename std::invoke_result_t<Work, Tx&, const Arguments&...>::value_type::value_type;

} // namespace detail

template <class Work, class... Arguments>
auto Database::transact(const Context& context, Work, Arguments... arguments) {
    static_assert(std::is_empty_v<Work>, "pass what the work needs as arguments: it outlives this");
    return detail::Pending<detail::WorkOut<Work, Arguments...>, Work, Arguments...>(
        *this, context, Manner{}, std::move(arguments)...);
}

template <class Work, class... Arguments>
auto Database::transact_whole(const Context& context, Work, Arguments... arguments) {
    static_assert(std::is_empty_v<Work>, "pass what the work needs as arguments: it outlives this");
    return detail::Pending<detail::WorkOut<Work, Arguments...>, Work, Arguments...>(
        *this, context, Manner{.whole = true}, std::move(arguments)...);
}

template <class Work, class... Arguments>
auto Database::read(const Context& context, Work, Arguments... arguments) {
    static_assert(std::is_empty_v<Work>, "pass what the work needs as arguments: it outlives this");
    return detail::Pending<detail::WorkOut<Work, Arguments...>, Work, Arguments...>(
        *this, context, Manner{.reading = true}, std::move(arguments)...);
}

template <class Work, class... Arguments>
auto Database::read_within(Duration staleness, const Context& context, Work,
                           Arguments... arguments) {
    static_assert(std::is_empty_v<Work>, "pass what the work needs as arguments: it outlives this");
    return detail::Pending<detail::WorkOut<Work, Arguments...>, Work, Arguments...>(
        *this, context, Manner{.reading = true, .staleness = staleness}, std::move(arguments)...);
}

} // namespace urr
