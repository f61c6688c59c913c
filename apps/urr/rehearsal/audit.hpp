// The audit of a sale, in two halves that share no code with the services: what the stores hold (by
// SQL of its own over SQLite's own interface, opened for reading), and what the clients were told.
// Both must agree; each disagreement counts under one of six headings and says in a line what it
// is.
//
//     StorePaths paths = TRY_PLAIN(stores_in("var"));
//     Audit audit;
//     StoreFacts facts = TRY_PLAIN(audit_stores(paths, event, audit));
//     audit_clients(record, facts, audit);
//     return audit.ok();
//
// The stores should be at rest: a hold or a payment under way counts as stuck. Any thread.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/urr/rehearsal/record.hpp"
#include "libs/core/result.hpp"
#include "libs/redis/redis.hpp"

namespace urr::app {

struct Audit {
    std::int64_t oversold = 0;          // a seat that two have, or more seats than one may have
    std::int64_t paid_without_seat = 0; // money taken and kept, and no seat for it
    std::int64_t lost_confirmed = 0;    // a seat that was acknowledged and is gone
    std::int64_t order_violations = 0;  // let in before one's turn, or over the threshold; or a
                                        // place that was lost
    std::int64_t money_imbalance = 0;   // ledger, acquirer and orders disagree
    std::int64_t unexplained = 0;       // all else that should not be
    std::int64_t sold = 0, free = 0;
    std::vector<std::string> findings; // the first of them, in words

    void find(std::int64_t Audit::* counter, std::int64_t count, std::string what);
    bool ok() const {
        return oversold + paid_without_seat + lost_confirmed + order_violations + money_imbalance +
                   unexplained ==
               0;
    }
};

// Where they are: files, or URLs of PostgreSQL. Lines may stand in Redis: then `queue` is "redis".
struct StorePaths {
    std::string ticket, payment, acquirer, queue;
    std::string evidence = {}; // the ledger; empty: there is none
    RedisOptions redis = {};

    bool line_is_in_redis() const { return queue == "redis"; }
};
// The embedded stores of an installation's folder.
StorePaths stores_in(const std::string& folder);
// A file of lines "ticket=PATH" (or a URL), "payment=PATH", "acquirer=PATH", "queue=PATH" (or
// "queue=redis"; which Redis that is the settings say), "evidence=PATH" where there is a ledger, or
// of one line "folder=PATH"; empty lines and lines that begin with # do not count.
Result<StorePaths> read_stores_file(const std::string& path);

// What the client half needs of the stores. Ids are bytes as they stand there.
struct StoreFacts {
    struct Reservation {
        std::string account;
        int state = 0;
    };
    struct Member {
        std::uint64_t position = 0;
        bool at_the_end = false; // came again with a token that was used before
    };
    std::map<std::string, std::set<std::int64_t>> tickets; // seats by account, living ones
    std::map<std::string, Reservation> reservations;
    std::set<std::string> captured; // payments, refunded ones among them
    std::set<std::string> refunded;
    std::map<std::string, Member> members;
    std::optional<std::int64_t> threshold; // at most so many inside at once
};

// UNAVAILABLE when a store cannot be read.
Result<StoreFacts> audit_stores(const StorePaths& paths, const EventId& event, Audit& audit);
void audit_clients(const Record& record, const StoreFacts& facts, Audit& audit);

// How much the ledger still lacks of what the other stores say: it follows them by a moment.
Result<std::int64_t> ledger_lacks(StorePaths paths, const EventId& event);

// Holds, payments and refunds that are under way: what an audit should wait for.
Result<std::int64_t> under_way(StorePaths paths, const EventId& event);

} // namespace urr::app
