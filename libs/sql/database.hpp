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
// so it has no effect but its statements. Many works share one commit (group commit): latency under
// no load is that of one write, throughput under load that of the disk.
//
// Answers besides the work's own errors:
//   OVERLOADED         the queue is full; nothing was done
//   DEADLINE_EXCEEDED  the deadline came before the work was begun; nothing was done
//   OUTCOME_UNKNOWN    begun, and nobody knows (the disk failed at the commit, or the deadline came
//                      while it ran): ask again by the idempotency key
//   UNAVAILABLE        the store refused the batch; nothing was done
//
// `read` runs a work on a snapshot beside the writer; its statements must not write.
#pragma once
#include <atomic>
#include <initializer_list>
#include <memory>
#include <tuple>
#include <type_traits>

#include "libs/async/task.hpp"
#include "libs/async/wait.hpp"
#include "libs/sql/value.hpp"

namespace urr {

// One SQL statement, a constant of the program: engines cache by its address. Parameters are ?1,
// ?2.
struct Statement {
    const char* sql;
};

class Tx;

// A statement under way; awaitable. Completes inline where the engine is embedded.
struct [[nodiscard]] Query {
    static constexpr std::size_t values_max = 24;

    Tx& tx;
    const Statement& statement;
    Value values[values_max];
    std::size_t count = 0;
    Result<Rows> result;
    std::coroutine_handle<> waiting;

    Query(Tx& in, const Statement& what, std::initializer_list<Value> given)
        : tx(in), statement(what) {
        for (const Value& value : given) values[count++] = value;
    }
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

    Query run(const Statement& statement, std::initializer_list<Value> values = {}) {
        return Query(*this, statement, values);
    }
    // For the engines: true when the query was done inline.
    virtual bool start(Query& query) = 0;

protected:
    ~Tx() = default;
};

inline bool Query::await_ready() { return tx.start(*this); }

// A work in the engine's queue. Two owners: the caller's awaitable and the engine.
struct Job : Node {
    enum State : std::uint8_t { queued, taken, abandoned };

    Job* link = nullptr; // the engine's queue
    Loop* home = nullptr;
    Instant deadline = never;
    std::atomic<std::uint8_t> state{queued};
    std::atomic<int> references{2};
    struct PendingBase* pending = nullptr; // home's thread alone

    Job();
    virtual ~Job() = default;
    // Leaves an outcome in every case.
    virtual void run(Tx& tx) noexcept = 0;
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
    // False after the store failed in a way that a restart must repair.
    virtual bool healthy() const = 0;

    template <class Work, class... Arguments>
    auto transact(const Context& context, Work, Arguments... arguments);
    template <class Work, class... Arguments>
    auto read(const Context& context, Work, Arguments... arguments);

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
    Result<Out> out = fail(Code::OUTCOME_UNKNOWN);

    explicit WorkJob(Arguments&&... given) : arguments(std::move(given)...) {}
    void run(Tx& tx) noexcept override {
        try {
            auto task = std::apply(
                [&](const Arguments&... copies) { return Work{}(tx, copies...); }, arguments);
            task.start();
            if (task.done())
                out = task.take();
            else
                out = fail(Code::INTERNAL, "a work awaited something besides its transaction");
        } catch (const std::exception& e) {
            out = fail(Code::INTERNAL, e.what());
        } catch (...) {
            out = fail(Code::INTERNAL, "a work threw");
        }
    }
    bool succeeded() const override { return out.has_value(); }
    void settle(Error error) override { out = fail(std::move(error)); }
};

template <class Out, class Work, class... Arguments>
struct [[nodiscard]] Pending : PendingBase {
    Database& database;
    bool reading;

    Pending(Database& in, const Context& context, bool read_only, Arguments&&... arguments)
        : database(in), reading(read_only) {
        job = new WorkJob<Out, Work, Arguments...>(std::move(arguments)...);
        job->deadline = context.deadline;
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
        if (!database.healthy()) return fail(Code::UNAVAILABLE, "the store needs a restart");
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
        *this, context, false, std::move(arguments)...);
}

template <class Work, class... Arguments>
auto Database::read(const Context& context, Work, Arguments... arguments) {
    static_assert(std::is_empty_v<Work>, "pass what the work needs as arguments: it outlives this");
    return detail::Pending<detail::WorkOut<Work, Arguments...>, Work, Arguments...>(
        *this, context, true, std::move(arguments)...);
}

} // namespace urr
