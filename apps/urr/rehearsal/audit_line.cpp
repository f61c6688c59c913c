// A line in Redis as rows of queue's tables. It knows the form of the keys and none of queue's
// code.
#include <sqlite3.h>

#include <charconv>
#include <memory>
#include <sstream>

#include "apps/urr/rehearsal/audit_copy.hpp"
#include "libs/async/nursery.hpp"

namespace urr::app {

namespace {

constexpr Duration patience = seconds(30);
constexpr std::string_view at_once = "1000";

std::unexpected<Error> unreadable(const std::string& what) {
    return fail(Code::UNAVAILABLE, "audit: Redis: " + what);
}

// One row to be written.
class Row {
public:
    Row(sqlite3* to, const char* sql) : to_(to) {
        sqlite3_prepare_v2(to, sql, -1, &statement_, nullptr);
    }
    ~Row() { sqlite3_finalize(statement_); }
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;

    Row& number(std::int64_t value) {
        sqlite3_bind_int64(statement_, ++at_, value);
        return *this;
    }
    // "-" is no id: zeros.
    Row& id(std::string_view text) {
        const IdBytes bytes = parse_id(text).value_or(IdBytes{});
        sqlite3_bind_blob(statement_, ++at_, bytes.data(), int(bytes.size()), SQLITE_TRANSIENT);
        return *this;
    }
    Result<> write() {
        const int step = sqlite3_step(statement_);
        sqlite3_reset(statement_);
        at_ = 0;
        if (step != SQLITE_DONE) return unreadable(sqlite3_errmsg(to_));
        return {};
    }

private:
    sqlite3* to_;
    sqlite3_stmt* statement_ = nullptr;
    int at_ = 0;
};

// "epoch phase position arrival state entry admitted until fetched receipt". Whoever did not show a
// place joined when the line gave him his arrival.
Result<> write_member(Row& row, const EventId& event, const std::string& account,
                      const std::string& record) {
    std::istringstream words(record);
    std::int64_t epoch = 0, phase = 0, position = 0, arrival = 0, state = 0, admitted = 0,
                 until = 0, fetched = 0;
    std::string entry, receipt, more;
    words >> epoch >> phase >> position >> arrival >> state >> entry >> admitted >> until >>
        fetched >> receipt;
    if (!words || words >> more || !parse_id(account))
        return unreadable("a member of another form: " + account + ": " + record);
    row.id(event.text()).id(account).number(epoch).number(phase).number(position).number(arrival);
    row.number(state).id(entry).number(until).number(arrival).id(receipt).number(admitted);
    return row.number(fetched).write();
}

Task<Result<>> copy_members(Redis& redis, Context context, EventId event, sqlite3* to) {
    Row row(to, "INSERT OR REPLACE INTO members (event, account, epoch, phase, position, arrival, "
                "state, token, until_us, joined_us, receipt, admitted_us, fetched) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const std::string key = "{" + event.text() + "}:queue";
    std::string cursor = "0";
    do {
        const Reply page =
            TRY(co_await redis.command(context, Command{"HSCAN", key, cursor, "COUNT", at_once}));
        if (page.items.size() != 2) co_return unreadable("no cursor and its page");
        cursor = page.items[0].text;
        const auto& pairs = page.items[1].items;
        for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
            TRY(write_member(row, event, pairs[i].text, pairs[i + 1].text));
    } while (cursor != "0");
    co_return Result<>{};
}

Task<Result<>> copy_hall(Redis& redis, Context context, EventId event, sqlite3* to) {
    Row row(to, "INSERT INTO halls (event, epoch, threshold, admits_from_us, per_second, paused, "
                "room, message, seen_phase, seen_next, seen_serving, seen_voids) "
                "VALUES (?, ?, ?, 0, 0, 0, 0, '', 0, 0, 0, 0)");
    const std::string key = "{" + event.text() + "}:generation";
    const Reply hall =
        TRY(co_await redis.command(context, Command{"HMGET", key, "epoch", "threshold"}));
    if (hall.items.size() != 2) co_return unreadable("a hall of another form");
    if (hall.items[0].is_null()) co_return Result<>{};
    row.id(event.text());
    for (const Reply& field : hall.items) {
        std::int64_t value = 0;
        const char* const end = field.text.data() + field.text.size();
        if (std::from_chars(field.text.data(), end, value).ptr != end || field.text.empty())
            co_return unreadable("a hall of another form");
        row.number(value);
    }
    co_return row.write();
}

Task<> copy_all(RunLoop& loop, Redis& redis, EventId event, sqlite3* to, Result<>& out) {
    Context context;
    context.deadline = loop.now() + patience;
    out = co_await copy_hall(redis, context, event, to);
    if (out) out = co_await copy_members(redis, context, event, to);
    loop.stop();
}

} // namespace

Result<> copy_line(const RedisOptions& options, const EventId& event, const std::string& path) {
    sqlite3* raw = nullptr;
    sqlite3_open(path.c_str(), &raw);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> to(raw, &sqlite3_close);
    sqlite3_exec(raw, "BEGIN", nullptr, nullptr, nullptr);
    const auto loop = make_asio_loop();
    Loop::Enter in(loop.get());
    SystemRandom random;
    SilentLog log;
    Result<> out;
    {
        const auto redis = TRY_PLAIN(connect_redis(*loop, random, options, log));
        Nursery nursery;
        nursery.spawn(copy_all(*loop, *redis, event, raw, out));
        loop->run();
    }
    if (!out) return unreadable(std::string(out.error().text()));
    sqlite3_exec(raw, "COMMIT", nullptr, nullptr, nullptr);
    return {};
}

} // namespace urr::app
