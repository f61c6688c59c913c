// For the engines: whether a work keeps what it said by Query::and_commit, that nothing follows.
// Where its commit travels with its last statements nothing can be taken back any more: a work that
// refuses behind them, or goes on, is a mistake of ours. Every engine answers it INTERNAL, also
// where all can still be undone, and tells the log: a test on any engine shows it.
#pragma once
#include "libs/sql/database.hpp"

namespace urr {

// Those of the work under way.
class LastStatements {
public:
    // An entry of the log; its detail is the answer's text.
    static constexpr std::string_view refused_late = "work_refused_late";

    void begin() {
        last_ = nullptr;
        rest_ = nullptr;
    }
    // Before a query that was awaited, and each that travels with it.
    bool allow(const Query& query) const { return !last_ || &query == rest_; }
    static Error behind() {
        return Error(Code::INTERNAL, "a statement behind those that its work called the last");
    }
    // The query has succeeded; those that travel with it are yet to run.
    void ran(const Query& query) {
        const bool travelled = &query == rest_;
        if (query.final && !travelled) last_ = &query.statement;
        rest_ = query.also;
    }
    // The query has succeeded and so have all that travelled with it.
    void ran_with_all(const Query& first) {
        if (first.final) last_ = &first.statement;
    }
    // Nothing may follow any more.
    bool are_done() const { return last_ && !rest_; }
    // The answer to a work that did not end well behind them.
    Error answer(bool committed) const {
        return Error(Code::INTERNAL,
                     std::string("a work refused behind its last statements and is ") +
                         (committed ? "committed: " : "taken back: ") + last_->sql);
    }

private:
    const Statement* last_ = nullptr; // the first of those that were called so
    const Query* rest_ = nullptr;     // of an exchange: what is yet to run
};

} // namespace urr
