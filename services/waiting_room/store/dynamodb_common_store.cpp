#include "services/waiting_room/store/dynamodb_common_store.hpp"

#include <charconv>

#include "libs/async/nursery.hpp"
#include "services/waiting_room/store/common_codec.hpp"

namespace urr::waiting_room {

namespace {

constexpr std::string_view server_key = "#server";
constexpr Duration block_life = hours(24);
constexpr std::size_t writes_at_once = 16;

// {"S":"…"} and {"N":"…"}
std::string text_value(std::string_view text) {
    std::string out = R"({"S":)";
    append_json_text(out, text);
    return out + "}";
}
std::string number_value(std::uint64_t number) {
    return R"({"N":")" + std::to_string(number) + R"("})";
}

// An object of attributes, or of parameters.
class Attributes {
public:
    Attributes& text(std::string_view name, std::string_view value) {
        return add(name, text_value(value));
    }
    Attributes& number(std::string_view name, std::uint64_t value) {
        return add(name, number_value(value));
    }
    Attributes& yes(std::string_view name, bool value) {
        return add(name, value ? R"({"BOOL":true})" : R"({"BOOL":false})");
    }
    std::string done() const { return out_ + "}"; }

private:
    Attributes& add(std::string_view name, std::string_view value) {
        if (out_.size() > 1) out_ += ",";
        append_json_text(out_, name);
        out_.append(":").append(value);
        return *this;
    }
    std::string out_ = "{";
};

std::string_view text_of(const JsonValue& item, std::string_view name) {
    const JsonValue* value = item.find(name);
    return value ? value->text_of("S") : std::string_view();
}
std::optional<std::uint64_t> number_of(const JsonValue& item, std::string_view name) {
    const JsonValue* value = item.find(name);
    if (!value) return std::nullopt;
    const std::string_view digits = value->text_of("N");
    std::uint64_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
    return number;
}

std::string padded(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    return std::string(20 - digits.size(), '0') + digits;
}
std::string block_key(std::uint64_t epoch, std::uint64_t first) {
    return "block#" + padded(epoch) + "#" + padded(first);
}

std::string item_of(const CommonRoom& room, Instant now) {
    const RoomRecord& r = room.record;
    Attributes item;
    item.text("eventId", r.event.text())
        .number("nextPosition", r.next)
        .number("servingCounter", r.serving)
        .yes("isActive", r.state != RoomState::off)
        .number("updatedAt", std::uint64_t(now.us / 1000))
        .number("epoch", r.epoch)
        .number("sequence", r.sequence)
        .text("state", room_state_name(r.state))
        .number("phase", r.phase)
        .number("phaseFirst", r.phase_first)
        .number("voids", room.voids)
        .number("voidsServed", r.voids_served)
        .text("leases", leases_text(room.leases))
        .number("reportedAt", std::uint64_t(room.reported.us))
        .number("fence", room.fence)
        .number("version", room.version)
        .number("writer", room.writer);
    if (r.rate_per_minute) item.number("ratePerMinute", *r.rate_per_minute);
    return item.done();
}

std::optional<CommonRoom> room_of(const JsonValue& item) {
    CommonRoom room;
    RoomRecord& r = room.record;
    const auto event = EventId::parse(text_of(item, "eventId"));
    const auto state = parse_room_state(text_of(item, "state"));
    auto leases = parse_leases(text_of(item, "leases"));
    bool whole = event && state && leases;
    const auto number = [&](std::string_view name) {
        const auto value = number_of(item, name);
        whole = whole && value;
        return value.value_or(0);
    };
    r.next = number("nextPosition");
    r.serving = number("servingCounter");
    r.epoch = number("epoch");
    r.sequence = number("sequence");
    r.phase = std::uint16_t(number("phase"));
    r.phase_first = number("phaseFirst");
    room.voids = number("voids");
    r.voids_served = number("voidsServed");
    room.reported = Instant{std::int64_t(number("reportedAt"))};
    room.fence = number("fence");
    room.version = number("version");
    room.writer = number("writer");
    if (!whole) return std::nullopt;
    r.event = *event;
    r.state = *state;
    room.leases = std::move(*leases);
    if (const auto rate = number_of(item, "ratePerMinute"))
        r.rate_per_minute = std::uint32_t(*rate);
    return room;
}

bool was_forestalled(const aws::Answer& answer) {
    if (answer.refused("ConditionalCheckFailedException") ||
        answer.refused("TransactionConflictException"))
        return true;
    if (!answer.refused("TransactionCanceledException")) return false;
    const JsonValue* reasons = answer.json.find("CancellationReasons");
    if (!reasons) return false;
    return std::ranges::any_of(reasons->items, [](const JsonValue& reason) {
        const std::string_view code = reason.text_of("Code");
        return code == "ConditionalCheckFailed" || code == "TransactionConflict";
    });
}

std::string operation(std::string_view name) { return "DynamoDB_20120810." + std::string(name); }

class DynamoCommonStore final : public CommonStore {
public:
    DynamoCommonStore(aws::Client& client, DynamoTables tables, const Clock& clock)
        : client_(client), tables_(std::move(tables)), clock_(clock) {}

    Task<Result<CommonRooms>> read(Context context) override {
        CommonRooms out;
        std::string from;
        do {
            std::string body = R"({"ConsistentRead":true,"TableName":)";
            append_json_text(body, tables_.counters);
            if (!from.empty()) body += R"(,"ExclusiveStartKey":{"eventId":)" + from + "}";
            const aws::Answer answer =
                TRY(co_await client_.json(context, operation("Scan"), body + "}"));
            if (!answer.ok()) co_return fail(answer.as_error());
            if (const JsonValue* items = answer.json.find("Items"))
                for (const JsonValue& item : items->items) TRY(take_item(item, out));
            const JsonValue* last = answer.json.find("LastEvaluatedKey");
            const JsonValue* key = last ? last->find("eventId") : nullptr;
            from = key ? text_value(key->text_of("S")) : "";
        } while (!from.empty());
        out.now = clock_.now() + client_.ahead();
        co_return out;
    }

    Task<std::vector<Result<>>> write(Context context, std::vector<RoomWrite> writes) override {
        std::vector<Result<>> out(writes.size());
        for (std::size_t begin = 0; begin < writes.size(); begin += writes_at_once) {
            Nursery several;
            const std::size_t end = std::min(writes.size(), begin + writes_at_once);
            for (std::size_t i = begin; i < end; ++i)
                several.spawn(write_into(context, writes[i], out[i]));
            (void)co_await several.drained({}); // each ends by its own deadline
        }
        co_return out;
    }

    Task<Result<bool>> take(Context context, ServerLease seen, ServerLease wanted) override {
        std::string body = R"({"TableName":)";
        append_json_text(body, tables_.counters);
        body += R"(,"Item":)" + Attributes()
                                    .text("eventId", server_key)
                                    .number("holder", wanted.holder)
                                    .number("fence", wanted.fence)
                                    .number("beat", wanted.beat)
                                    .done();
        if (seen == ServerLease{})
            body += R"j(,"ConditionExpression":"attribute_not_exists(eventId)"})j";
        else
            body += R"(,"ConditionExpression":"holder = :h AND fence = :f AND beat = :b",)"
                    R"("ExpressionAttributeValues":)" +
                    Attributes()
                        .number(":h", seen.holder)
                        .number(":f", seen.fence)
                        .number(":b", seen.beat)
                        .done() +
                    "}";
        const aws::Answer answer = TRY(co_await client_.json(context, operation("PutItem"), body));
        if (answer.ok()) co_return true;
        if (was_forestalled(answer)) co_return false;
        co_return fail(answer.as_error());
    }

    Task<Result<std::vector<Line::Void>>> voids(Context context, EventId event, std::uint64_t epoch,
                                                std::uint64_t serving) override {
        std::vector<Line::Void> out;
        // The block in which `serving` stands, and all behind it.
        TRY(co_await read_blocks(context, event, epoch, 0, serving, true, serving, out));
        TRY(co_await read_blocks(context, event, epoch, serving + 1, UINT64_MAX, false, serving,
                                 out));
        co_return out;
    }

private:
    Result<> take_item(const JsonValue& item, CommonRooms& out) {
        if (text_of(item, "eventId") == server_key) {
            out.server = {number_of(item, "holder").value_or(0),
                          number_of(item, "fence").value_or(0),
                          number_of(item, "beat").value_or(0)};
            return {};
        }
        auto room = room_of(item);
        if (!room)
            return fail(Code::BAD_GATEWAY, "an item of " + tables_.counters + " is no room: " +
                                               std::string(text_of(item, "eventId")));
        out.rooms.push_back(std::move(*room));
        return {};
    }

    Task<> write_into(Context context, const RoomWrite& write, Result<>& out) {
        out = co_await write_one(context, write);
    }

    std::string put_of(const RoomWrite& write) const {
        const CommonRoom& room = write.room;
        std::string put = R"({"TableName":)";
        append_json_text(put, tables_.counters);
        put += R"(,"Item":)" + item_of(room, clock_.now() + client_.ahead());
        if (room.version == 1)
            return put + R"j(,"ConditionExpression":"attribute_not_exists(eventId)"})j";
        return put + R"(,"ConditionExpression":"version = :v","ExpressionAttributeValues":)" +
               Attributes().number(":v", room.version - 1).done() + "}";
    }

    Task<Result<>> write_one(Context context, const RoomWrite& write) {
        std::string body, name = "PutItem";
        if (write.ended.empty()) {
            body = put_of(write);
        } else {
            name = "TransactWriteItems";
            body = R"({"TransactItems":[{"Put":)" + put_of(write) + "}";
            for (const EndedBlock& block : write.ended)
                body += R"(,{"Put":)" + block_put(write.room.record, block) + "}";
            body += "]}";
        }
        const aws::Answer answer =
            TRY(co_await client_.json(context, operation(name), std::move(body)));
        if (answer.ok()) co_return Result<>{};
        if (was_forestalled(answer)) co_return fail(Code::CONFLICT);
        co_return fail(answer.as_error());
    }

    std::string block_put(const RoomRecord& room, const EndedBlock& block) const {
        const Instant ends = clock_.now() + client_.ahead() + block_life;
        std::string put = R"({"TableName":)";
        append_json_text(put, tables_.positions);
        return put + R"(,"Item":)" +
               Attributes()
                   .text("eventId", room.event.text())
                   .text("requestId", block_key(room.epoch, block.first))
                   .number("position", block.first)
                   .number("count", block.count)
                   .number("used", block.used)
                   .number("holder", block.holder)
                   .number("expiresAt", std::uint64_t(ends.us / 1'000'000))
                   .done() +
               "}";
    }

    // Blocks that begin in [from, to]; of those up to `to` backwards only the last.
    Task<Result<>> read_blocks(Context context, EventId event, std::uint64_t epoch,
                               std::uint64_t from, std::uint64_t to, bool last_only,
                               std::uint64_t serving, std::vector<Line::Void>& out) {
        std::string start;
        do {
            std::string body = R"({"ConsistentRead":true,"TableName":)";
            append_json_text(body, tables_.positions);
            body += R"(,"KeyConditionExpression":"eventId = :e AND requestId BETWEEN :a AND :b",)"
                    R"("ExpressionAttributeValues":)" +
                    Attributes()
                        .text(":e", event.text())
                        .text(":a", block_key(epoch, from))
                        .text(":b", block_key(epoch, to))
                        .done();
            if (last_only) body += R"(,"ScanIndexForward":false,"Limit":1)";
            if (!start.empty()) body += R"(,"ExclusiveStartKey":)" + start;
            const aws::Answer answer =
                TRY(co_await client_.json(context, operation("Query"), body + "}"));
            if (!answer.ok()) co_return fail(answer.as_error());
            if (const JsonValue* items = answer.json.find("Items"))
                for (const JsonValue& item : items->items) add_void(item, serving, out);
            const JsonValue* last = answer.json.find("LastEvaluatedKey");
            start = last && !last_only ? Attributes()
                                             .text("eventId", text_of(*last, "eventId"))
                                             .text("requestId", text_of(*last, "requestId"))
                                             .done()
                                       : "";
        } while (!start.empty());
        co_return Result<>{};
    }

    static void add_void(const JsonValue& item, std::uint64_t serving,
                         std::vector<Line::Void>& out) {
        const std::uint64_t first = number_of(item, "position").value_or(0);
        const std::uint64_t end = first + number_of(item, "count").value_or(0);
        const std::uint64_t from =
            std::max(first + number_of(item, "used").value_or(0), serving + 1);
        if (from < end) out.push_back({from, end - from});
    }

    aws::Client& client_;
    const DynamoTables tables_;
    const Clock& clock_;
};

Task<Result<>> create_table(Context context, aws::Client& client, std::string name,
                            std::string_view rest) {
    std::string body = R"({"BillingMode":"PAY_PER_REQUEST","TableName":)",
                named = "{\"TableName\":";
    append_json_text(body, name);
    append_json_text(named, name);
    const aws::Answer made = TRY(
        co_await client.json(context, operation("CreateTable"), body + std::string(rest) + "}"));
    if (!made.ok() && !made.refused("ResourceInUseException")) co_return fail(made.as_error());
    for (;;) {
        const aws::Answer state =
            TRY(co_await client.json(context, operation("DescribeTable"), named + "}"));
        const JsonValue* table = state.json.find("Table");
        if (table && table->text_of("TableStatus") == "ACTIVE") co_return Result<>{};
        TRY(co_await sleep(context, milliseconds(200)));
    }
}

} // namespace

std::unique_ptr<CommonStore> make_dynamodb_common_store(aws::Client& client, DynamoTables tables,
                                                        const Clock& clock) {
    return std::make_unique<DynamoCommonStore>(client, std::move(tables), clock);
}

Task<Result<>> look_at_tables(Context context, aws::Client& client, DynamoTables tables) {
    const auto may = [&](std::string_view what, const std::string& table,
                         std::string_view rest) -> Task<Result<>> {
        std::string body = R"({"Limit":1,"TableName":)";
        append_json_text(body, table);
        const aws::Answer answer =
            TRY(co_await client.json(context, operation(what), body + std::string(rest) + "}"));
        if (answer.refused("ResourceNotFoundException"))
            co_return fail(Code::NOT_FOUND,
                           "the table " + table + " is missing: run `urr migrate`");
        if (!answer.ok()) co_return fail(answer.as_error());
        co_return Result<>{};
    };
    TRY(co_await may("Scan", tables.counters, ""));
    const std::string nobody = R"(,"KeyConditionExpression":"eventId = :e",)"
                               R"("ExpressionAttributeValues":)" +
                               Attributes().text(":e", "nobody").done();
    co_return co_await may("Query", tables.positions, nobody);
}

Task<Result<>> create_tables(Context context, aws::Client& client, DynamoTables tables) {
    TRY(co_await create_table(
        context, client, tables.counters,
        R"(,"AttributeDefinitions":[{"AttributeName":"eventId","AttributeType":"S"}],)"
        R"("KeySchema":[{"AttributeName":"eventId","KeyType":"HASH"}])"));
    TRY(co_await create_table(
        context, client, tables.positions,
        R"(,"AttributeDefinitions":[{"AttributeName":"eventId","AttributeType":"S"},)"
        R"({"AttributeName":"requestId","AttributeType":"S"},)"
        R"({"AttributeName":"position","AttributeType":"N"}],)"
        R"("KeySchema":[{"AttributeName":"eventId","KeyType":"HASH"},)"
        R"({"AttributeName":"requestId","KeyType":"RANGE"}],)"
        R"("GlobalSecondaryIndexes":[{"IndexName":"eventId-position-index",)"
        R"("KeySchema":[{"AttributeName":"eventId","KeyType":"HASH"},)"
        R"({"AttributeName":"position","KeyType":"RANGE"}],)"
        R"("Projection":{"ProjectionType":"ALL"}}])"));
    std::string body = R"({"TimeToLiveSpecification":{"Enabled":true,"AttributeName":"expiresAt"},)"
                       R"("TableName":)";
    append_json_text(body, tables.positions);
    const aws::Answer ttl =
        TRY(co_await client.json(context, operation("UpdateTimeToLive"), body + "}"));
    // ValidationException: it is so already.
    if (!ttl.ok() && !ttl.refused("ValidationException")) co_return fail(ttl.as_error());
    co_return Result<>{};
}

} // namespace urr::waiting_room
