#include "libs/messaging/table_log.hpp"

#include <unordered_set>

#include "libs/async/nursery.hpp"

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
CREATE TABLE group_position (grp TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
-- Messages that failed too often, and those of the same key that came after them.
CREATE TABLE parked (
    grp TEXT NOT NULL,
    position INTEGER NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (grp, position)
) WITHOUT ROWID;
)sql"}};

namespace {

constexpr int fetch_max = 128;

constexpr Statement insert{
    "INSERT INTO event_log (topic, id, type, version, occurred_us, key, seq, traceparent, data) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"};
constexpr Statement fetch{
    "SELECT position, id, type, version, occurred_us, key, seq, traceparent, data FROM event_log "
    "WHERE topic = ?1 AND position > coalesce((SELECT position FROM group_position WHERE grp = ?2), 0) "
    "ORDER BY position LIMIT ?3"};
constexpr Statement fetch_parked{
    "SELECT e.position, e.id, e.type, e.version, e.occurred_us, e.key, e.seq, e.traceparent, e.data "
    "FROM parked p JOIN event_log e ON e.position = p.position WHERE p.grp = ?1 "
    "ORDER BY e.position LIMIT ?2"};
constexpr Statement set_position{"INSERT INTO group_position (grp, position) VALUES (?1, ?2) "
                                 "ON CONFLICT (grp) DO UPDATE SET position = excluded.position"};
constexpr Statement park{
    "INSERT INTO parked (grp, position, key) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"};
constexpr Statement parked_keys{"SELECT DISTINCT key FROM parked WHERE grp = ?1"};
constexpr Statement unpark{"DELETE FROM parked WHERE grp = ?1 AND position = ?2"};

struct Fetched {
    std::int64_t position = 0;
    Message message;
};

struct Batch {
    std::vector<Fetched> messages;
    std::vector<IdBytes> parked;
};

IdBytes key_of(std::span<const unsigned char> bytes) { return Id<void>::from(bytes).bytes; }

std::vector<Fetched> fetched(const Rows& rows, std::string_view topic) {
    std::vector<Fetched> messages(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Fetched& f = messages[i];
        f.position = rows.integer(i, 0);
        f.message = {rows.id<MessageId>(i, 1), std::string(topic), std::string(rows.text(i, 2)),
                     int(rows.integer(i, 3)), rows.instant(i, 4), key_of(rows.bytes(i, 5)),
                     rows.integer(i, 6), std::string(rows.text(i, 7)), std::string(rows.text(i, 8))};
    }
    return messages;
}

constexpr auto append_work = [](Tx& tx, const std::vector<Message>& messages) -> Task<Result<bool>> {
    for (const Message& m : messages)
        TRY(co_await tx.run(insert, {m.topic, m.id, m.type, m.version, m.occurred, m.key, m.seq,
                                     m.traceparent, m.data}));
    co_return true;
};

constexpr auto fetch_work = [](Tx& tx, const std::string& topic,
                               const std::string& group) -> Task<Result<Batch>> {
    Batch batch;
    batch.messages = fetched(TRY(co_await tx.run(fetch, {topic, group, fetch_max})), topic);
    const Rows keys = TRY(co_await tx.run(parked_keys, {group}));
    for (std::size_t i = 0; i < keys.size(); ++i) batch.parked.push_back(key_of(keys.bytes(i, 0)));
    co_return batch;
};

constexpr auto fetch_parked_work = [](Tx& tx,
                                      const std::string& group) -> Task<Result<Batch>> {
    co_return Batch{fetched(TRY(co_await tx.run(fetch_parked, {group, fetch_max})), ""), {}};
};

constexpr auto advance_work = [](Tx& tx, const std::string& group, std::int64_t position,
                                 const std::vector<Fetched>& failed) -> Task<Result<bool>> {
    for (const Fetched& f : failed)
        TRY(co_await tx.run(park, {group, f.position, f.message.key}));
    TRY(co_await tx.run(set_position, {group, position}));
    co_return true;
};

constexpr auto unpark_work = [](Tx& tx, const std::string& group,
                                std::int64_t position) -> Task<Result<bool>> {
    TRY(co_await tx.run(unpark, {group, position}));
    co_return true;
};

class TableLog final : public EventLog {
public:
    TableLog(Database& database, Duration poll) : database_(database), poll_(poll) {}

    Task<Result<void>> append(Context context, std::vector<Message> messages) override {
        TRY(co_await database_.transact(context, append_work, std::move(messages)));
        co_return Result<void>{};
    }

    Task<> deliver(std::string topic, std::string group, Consumer& consumer) override {
        for (;;) {
            auto batch = co_await database_.read(Context{}, fetch_work, topic, group);
            if (!batch || batch->messages.empty()) {
                (void)co_await sleep(Context{}, poll_);
                continue;
            }
            std::vector<Fetched> failed;
            const std::int64_t end = batch->messages.back().position;
            co_await deliver_batch(std::move(*batch), consumer, failed);
            while (!co_await database_.transact(Context{}, advance_work, group, end, failed))
                (void)co_await sleep(Context{}, poll_);
        }
    }

    Task<Result<std::int64_t>> replay(Context context, std::string group,
                                      Consumer& consumer) override {
        std::int64_t count = 0;
        for (;;) {
            const Batch batch = TRY(co_await database_.read(context, fetch_parked_work, group));
            if (batch.messages.empty()) co_return count;
            for (const Fetched& f : batch.messages) {
                TRY(co_await consumer.consume(context, f.message));
                TRY(co_await database_.transact(context, unpark_work, group, f.position));
                ++count;
            }
        }
    }

private:
    // Messages of one key, in order, and what became of them.
    struct Chain {
        std::vector<Fetched> messages;
        std::size_t done = 0;
    };

    // Different keys at once, so that their effects share commits; one key in order.
    static Task<> deliver_batch(Batch batch, Consumer& consumer, std::vector<Fetched>& failed) {
        std::unordered_map<std::string, Chain> chains;
        const auto text = [](const IdBytes& key) {
            return std::string(reinterpret_cast<const char*>(key.data()), key.size());
        };
        std::unordered_set<std::string> parked;
        for (const IdBytes& key : batch.parked) parked.insert(text(key));
        for (Fetched& f : batch.messages) {
            const std::string key = text(f.message.key);
            if (parked.contains(key))
                failed.push_back(std::move(f)); // behind one that failed before
            else
                chains[key].messages.push_back(std::move(f));
        }
        Nursery nursery;
        for (auto& [key, chain] : chains) nursery.spawn(run_chain(chain, consumer));
        (void)co_await nursery.drained(Context{});
        for (auto& [key, chain] : chains)
            for (std::size_t i = chain.done; i < chain.messages.size(); ++i)
                failed.push_back(std::move(chain.messages[i]));
    }
    static Task<> run_chain(Chain& chain, Consumer& consumer) {
        for (; chain.done < chain.messages.size(); ++chain.done) {
            const Message& message = chain.messages[chain.done].message;
            bool taken = false;
            for (int attempt = 1; attempt <= attempts_max && !taken; ++attempt) {
                taken = bool(co_await consumer.consume(Context{}, message));
                if (!taken) (void)co_await sleep(Context{}, milliseconds(20) * (1 << attempt));
            }
            if (!taken) co_return;
        }
    }

    Database& database_;
    const Duration poll_;
};

} // namespace

std::unique_ptr<EventLog> make_table_log(Database& database, Duration poll) {
    return std::make_unique<TableLog>(database, poll);
}

} // namespace urr
