#include "libs/messaging/table_queue.hpp"

namespace urr {

const char* const work_queue_tables = R"sql(
CREATE TABLE works (
    place      INTEGER PRIMARY KEY,
    work_group TEXT NOT NULL,
    body       TEXT NOT NULL,
    visible_at BIGINT NOT NULL,
    times      INTEGER NOT NULL,
    receipt    TEXT
);
CREATE INDEX works_by_group ON works (work_group, visible_at);
CREATE INDEX works_by_receipt ON works (receipt);
CREATE TABLE works_aside (
    place      BIGINT PRIMARY KEY,
    work_group TEXT NOT NULL,
    body       TEXT NOT NULL,
    put_at     BIGINT NOT NULL
);
CREATE TABLE works_known (
    id      TEXT PRIMARY KEY,
    sent_at BIGINT NOT NULL
);
)sql";

namespace {

constexpr Duration id_counts = minutes(5);
constexpr Duration look_again = milliseconds(50);

constexpr Statement forget_known{"DELETE FROM works_known WHERE sent_at < ?1"};
constexpr Statement know{"INSERT INTO works_known (id, sent_at) VALUES (?1, ?2) "
                         "ON CONFLICT (id) DO NOTHING"};
constexpr Statement add{"INSERT INTO works (work_group, body, visible_at, times) "
                        "VALUES (?1, ?2, ?3, 0)"};
constexpr Statement copy_aside{
    "INSERT INTO works_aside (place, work_group, body, put_at) "
    "SELECT place, work_group, body, ?1 FROM works WHERE times >= ?2 AND visible_at <= ?1"};
constexpr Statement remove_aside{"DELETE FROM works WHERE times >= ?2 AND visible_at <= ?1"};
constexpr Statement find{
    "SELECT place, work_group, body, times FROM works AS w WHERE visible_at <= ?1 AND NOT EXISTS "
    "(SELECT 1 FROM works AS other WHERE other.work_group = w.work_group "
    "AND other.visible_at > ?1) ORDER BY place LIMIT ?2"};
constexpr Statement take{"UPDATE works SET visible_at = ?2, times = times + 1, receipt = ?3 "
                         "WHERE place = ?1"};
constexpr Statement finish{"DELETE FROM works WHERE receipt = ?1 AND visible_at > ?2"};
constexpr Statement show_again{"UPDATE works SET visible_at = ?3 "
                               "WHERE receipt = ?1 AND visible_at > ?2"};
constexpr Statement count_aside{"SELECT count(*) FROM works_aside"};
constexpr Statement due{"SELECT 1 FROM works WHERE visible_at <= ?1 LIMIT 1"};
constexpr Statement put_back{"INSERT INTO works (work_group, body, visible_at, times) "
                             "SELECT work_group, body, ?1, 0 FROM works_aside ORDER BY place"};
constexpr Statement empty_aside{"DELETE FROM works_aside"};
constexpr Statement let_go{"UPDATE works SET visible_at = ?1 WHERE visible_at > ?1"};

constexpr auto send_work = [](Tx& tx, const std::vector<Work>& works) -> Task<Result<bool>> {
    TRY(co_await tx.run(forget_known, {tx.now - id_counts}));
    for (const Work& work : works) {
        const Rows first = TRY(co_await tx.run(know, {work.id, tx.now}));
        if (first.changes() == 1) TRY(co_await tx.run(add, {work.group, work.body, tx.now}));
    }
    co_return true;
};

constexpr auto receive_work = [](Tx& tx, int most, QueueRules rules,
                                 std::uint64_t mark) -> Task<Result<std::vector<Taken>>> {
    const Rows aside = TRY(co_await tx.run(copy_aside, {tx.now, rules.times_max}));
    if (aside.changes() > 0) TRY(co_await tx.run(remove_aside, {tx.now, rules.times_max}));
    const Rows found = TRY(co_await tx.run(find, {tx.now, most}));
    std::vector<Taken> out;
    for (std::size_t i = 0; i < found.size(); ++i) {
        Taken taken{std::string(found.text(i, 1)), std::string(found.text(i, 2)),
                    std::to_string(mark) + "-" + std::to_string(found.integer(i, 0)),
                    int(found.integer(i, 3)) + 1};
        TRY(co_await tx.run(take,
                            {found.integer(i, 0), tx.now + rules.visible_again, taken.receipt}));
        out.push_back(std::move(taken));
    }
    co_return out;
};

constexpr auto done_work = [](Tx& tx, const std::string& receipt) -> Task<Result<bool>> {
    const Rows rows = TRY(co_await tx.run(finish, {receipt, tx.now}));
    if (rows.changes() == 0) co_return fail(Code::NOT_FOUND);
    co_return true;
};

constexpr auto again_work = [](Tx& tx, const std::string& receipt,
                               Duration after) -> Task<Result<bool>> {
    const Rows rows = TRY(co_await tx.run(show_again, {receipt, tx.now, tx.now + after}));
    if (rows.changes() == 0) co_return fail(Code::NOT_FOUND);
    co_return true;
};

constexpr auto aside_work = [](Tx& tx) -> Task<Result<std::int64_t>> {
    co_return TRY(co_await tx.run(count_aside)).integer(0, 0);
};

// Looking costs no commit.
constexpr auto look_for_due = [](Tx& tx) -> Task<Result<bool>> {
    co_return !TRY(co_await tx.run(due, {tx.now})).empty();
};

constexpr auto redrive_work = [](Tx& tx) -> Task<Result<std::int64_t>> {
    const std::int64_t count = TRY(co_await tx.run(put_back, {tx.now})).changes();
    TRY(co_await tx.run(empty_aside));
    co_return count;
};

constexpr auto let_go_work = [](Tx& tx) -> Task<Result<bool>> {
    TRY(co_await tx.run(let_go, {tx.now}));
    co_return true;
};

class TableQueue final : public WorkQueue {
public:
    TableQueue(Database& database, Random& random, QueueRules rules)
        : database_(database), random_(random), rules_(rules) {}

    Task<Result<void>> send(Context context, std::vector<Work> works) override {
        for (const Work& work : works)
            if (work.body.size() > work_bytes_max) co_return fail(Code::BODY_TOO_LARGE);
        TRY(co_await database_.transact(context, send_work, std::move(works)));
        co_return Result<void>{};
    }
    Task<Result<std::vector<Taken>>> receive(Context context, int most, Duration wait) override {
        const Instant end = Loop::here().now() + wait;
        for (;;) {
            std::vector<Taken> taken;
            if (TRY(co_await database_.read(context, look_for_due)))
                taken = TRY(co_await database_.transact(context, receive_work,
                                                        std::min(most, works_at_once_max), rules_,
                                                        random_.next()));
            if (!taken.empty() || Loop::here().now() >= end) co_return taken;
            TRY(co_await sleep(context, look_again));
        }
    }
    Task<Result<void>> done(Context context, std::string receipt) override {
        TRY(co_await database_.transact(context, done_work, std::move(receipt)));
        co_return Result<void>{};
    }
    Task<Result<void>> again(Context context, std::string receipt, Duration after) override {
        TRY(co_await database_.transact(context, again_work, std::move(receipt), after));
        co_return Result<void>{};
    }
    Task<Result<std::int64_t>> aside(Context context) override {
        co_return co_await database_.transact(context, aside_work);
    }
    Task<Result<std::int64_t>> redrive(Context context) override {
        co_return co_await database_.transact(context, redrive_work);
    }

private:
    Database& database_;
    Random& random_;
    const QueueRules rules_;
};

} // namespace

std::unique_ptr<WorkQueue> make_table_queue(Database& database, Random& random, QueueRules rules) {
    return std::make_unique<TableQueue>(database, random, rules);
}

Task<Result<void>> let_works_go(Context context, Database& database) {
    TRY(co_await database.transact(context, let_go_work));
    co_return Result<void>{};
}

} // namespace urr
