#include "libs/messaging/table_log.hpp"

#include "libs/messaging/delivery.hpp"
#include "libs/messaging/replay.hpp"

namespace urr {

const Migration event_log_migrations[1] = {{1, "event log", R"sql(
CREATE TABLE event_log (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    id BLOB NOT NULL,
    type TEXT NOT NULL,
    version INTEGER NOT NULL,
    occurred_us INTEGER NOT NULL,
    key BLOB NOT NULL,
    seq INTEGER NOT NULL,
    traceparent TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX event_log_topic ON event_log (topic, position);
-- How far each group has come: everything up to it is settled.
CREATE TABLE group_position (
    topic TEXT NOT NULL,
    grp TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (topic, grp)
) WITHOUT ROWID;
-- Messages that were refused too often, and those of the same key that came after them.
CREATE TABLE parked (
    grp TEXT NOT NULL,
    topic TEXT NOT NULL,
    position INTEGER NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (grp, position)
) WITHOUT ROWID;
CREATE INDEX parked_key ON parked (grp, topic, key);
CREATE INDEX parked_position ON parked (position);
)sql"}};

namespace {

constexpr int replayed_at_once = 128;

constexpr auto append_work = [](Tx& tx, const std::vector<Message>& messages) {
    return append_to_log(tx, messages);
};
constexpr auto replace_work = [](Tx& tx, const std::string& topic, const std::string& group,
                                 const std::string& family) {
    return replace_groups(tx, topic, group, family);
};
constexpr auto fetch_parked_work = [](Tx& tx, const std::string& group, std::int64_t after) {
    return fetch_parked(tx, group, after, replayed_at_once);
};
constexpr auto count_parked_work = [](Tx& tx) { return count_parked(tx); };
constexpr auto unpark_work = [](Tx& tx, const std::string& group, const Logged& logged) {
    return unpark_message(tx, group, logged.position);
};
constexpr auto prune_work = [](Tx& tx, Duration kept) {
    return prune_log(tx, tx.now - kept, 1000);
};

class TableLog final : public EventLog {
public:
    TableLog(Database& database, Duration poll, Log* log)
        : database_(database), poll_(poll), log_(log) {}

    Task<Result<void>> append(Context context, std::vector<Message> messages) override {
        TRY(co_await database_.transact(context, append_work, std::move(messages)));
        bells_.ring();
        co_return Result<void>{};
    }

    Task<> deliver(std::string topic, std::string group, Consumer& consumer) override {
        Delivery delivery(database_, bells_, std::move(topic), std::move(group), consumer, poll_,
                          log_);
        co_await delivery.run();
    }

    Task<Result<void>> replace_groups(Context context, std::string topic, std::string group,
                                      std::string family) override {
        TRY(co_await database_.transact(context, replace_work, std::move(topic), std::move(group),
                                        std::move(family)));
        co_return Result<void>{};
    }

    Task<Result<std::int64_t>> replay(Context context, std::string group,
                                      Consumer& consumer) override {
        co_return co_await replay_parked(context, database_, std::move(group), consumer,
                                         fetch_parked_work, unpark_work);
    }

    Task<Result<std::int64_t>> parked(Context context) override {
        co_return co_await database_.read(context, count_parked_work);
    }

    Task<Result<std::int64_t>> prune(Context context, Duration kept) override {
        co_return co_await database_.transact(context, prune_work, kept);
    }

private:
    Database& database_;
    const Duration poll_;
    Log* const log_;
    Bells bells_;
};

} // namespace

std::unique_ptr<EventLog> make_table_log(Database& database, Duration poll, Log* log) {
    return std::make_unique<TableLog>(database, poll, log);
}

} // namespace urr
