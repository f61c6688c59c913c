// The distributed engine of Database: PostgreSQL 15 or later, by libpq, asynchronous and pipelined,
// at one loop. A few connections share the works of a store: each takes what has queued up and runs
// it in one transaction (group commit), as the embedded engine does. Several processes may work on
// one database.
//
// Works run at READ COMMITTED. Deadlocks, lock time-outs and serialization failures are met here:
// the batch is taken back and repeated, without the work that met them, which is repeated by
// itself: a bounded number of times, within a bounded time, and not beyond its caller's deadline.
//
// The store's time is the server's clock: its distance from ours is sampled each second, and never
// runs backwards in a process. While that distance is not known, or has just jumped by more than
// half a second, works that write are answered UNAVAILABLE.
//
// A server that is away: what is queued and what comes is answered UNAVAILABLE until it is back;
// healthy() tells. A connection that is cut between COMMIT and its answer gives OUTCOME_UNKNOWN.
// Nothing rests on the session: it works through PgBouncer in transaction mode (`pooled`).
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/async/names.hpp"
#include "libs/core/random.hpp"
#include "libs/sql/database.hpp"

namespace urr {

struct PostgresOptions {
    // postgresql://user@host:port/database?sslrootcert=…&passfile=…, secret. Several hosts with
    // commas: the one that takes writes is found, also while another one stands still. Without
    // sslmode the server's certificate and name are verified.
    std::string url;
    std::string replica_url; // for read_within; may be empty
    int connections = 2;
    bool pooled = false; // behind a pooler that shares server connections per transaction
    int batch_max = 64;  // more savepoints than this make PostgreSQL slow
    std::size_t queued_max = 20'000;
    Duration lock_timeout = milliseconds(500); // of a batch; single works wait four times as long
    Duration repeat_timeout = seconds(6);      // no repeat is begun later than that after the batch
    Duration statement_timeout = seconds(5);
    Duration answer_timeout = seconds(8); // without an answer the connection counts as lost
    Duration connect_timeout = seconds(4);
    Random* random = nullptr; // jitter; must outlive the database
    // Who looks hosts up, at each connect, and outlives the database; nullptr: the system.
    Names* names = nullptr;
    // Told at the loop when the server goes away (store_away, why) and comes back (store_back), and
    // of a work's mistake: work_refused_late (last_statements.hpp).
    std::function<void(std::string_view event, std::string_view detail)> told;
};

// What is wrong with a URL, before it is used: no URL at all, or an sslmode that does not verify
// towards another machine.
Result<> check_postgres_url(const std::string& url);

std::string user_of_postgres_url(const std::string& url);

// The secrets in it (passwords of the user and of a key's file), as libpq reads them: decoded.
// None where it is no URL.
std::vector<std::string> secrets_of_postgres_url(const std::string& url);

struct PostgresHost {
    std::string host, port;
};
// In the URL's order; one, or none where it is no URL.
std::vector<PostgresHost> hosts_of_postgres_url(const std::string& url);

// Connects as soon as the loop runs. Destroy it at the loop's thread, or after the loop has ended.
Result<std::unique_ptr<Database>> open_postgres(const PostgresOptions& options, RunLoop& loop);

} // namespace urr
