#include "services/queue/store/members.hpp"

#include "libs/sql/outbox.hpp"

namespace urr::queue {

const Migration migrations[2] = {{1, "shared tables", shared_tables}, {2, "lines", R"sql(
-- state: 0 waiting, 1 active, 2 ended.
CREATE TABLE members (
    event BLOB NOT NULL,
    account BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    position INTEGER NOT NULL,
    arrival INTEGER NOT NULL,
    state INTEGER NOT NULL,
    token BLOB,
    until_us INTEGER NOT NULL,
    joined_us INTEGER NOT NULL,
    PRIMARY KEY (event, account)
) WITHOUT ROWID;
-- Which account a waiting-room token belongs to, from the first one that brought it.
CREATE TABLE spent_tokens (
    event BLOB NOT NULL,
    token BLOB NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (event, token)
) WITHOUT ROWID;
)sql"}};

namespace {

constexpr Statement bind_token{
    "INSERT INTO spent_tokens (event, token, account) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"};
constexpr Statement token_owner{"SELECT account FROM spent_tokens WHERE event = ?1 AND token = ?2"};
constexpr Statement find_member{"SELECT epoch, phase, position, arrival, state FROM members "
                                "WHERE event = ?1 AND account = ?2"};
constexpr Statement put_member{
    "INSERT INTO members (event, account, epoch, phase, position, arrival, state, until_us, "
    "joined_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7) ON CONFLICT (event, account) DO UPDATE "
    "SET epoch = excluded.epoch, phase = excluded.phase, position = excluded.position, "
    "arrival = excluded.arrival, state = 0, token = NULL, joined_us = excluded.joined_us"};
constexpr Statement set_active{"UPDATE members SET state = 1, token = ?3, until_us = ?4 "
                               "WHERE event = ?1 AND account = ?2 AND state = 0"};
constexpr Statement set_ended{
    "UPDATE members SET state = 2 WHERE event = ?1 AND account = ?2 AND state <> 2"};
constexpr Statement all_members{
    "SELECT account, epoch, phase, position, arrival, state, token, until_us FROM members "
    "WHERE event = ?1 AND state <> 2"};
// Behind everybody: the highest phase there is, no tier-1 position.
constexpr std::uint32_t phase_last = 255;

} // namespace

Task<Result<Place>> write_join(Tx& tx, Join join) {
    bool used_before = false;
    if (join.has_token) {
        const Rows bound =
            TRY(co_await tx.run(bind_token, {join.event, join.waiting_room_token, join.account}));
        used_before = bound.changes() == 0;
        if (used_before) {
            const Rows owner =
                TRY(co_await tx.run(token_owner, {join.event, join.waiting_room_token}));
            if (owner.id<AccountId>(0, 0) != join.account) co_return fail(Code::VWR_TOKEN_SPENT);
        }
    }
    const Rows rows = TRY(co_await tx.run(find_member, {join.event, join.account}));
    const bool in_line = !rows.empty() && rows.integer(0, 4) != int(MemberState::ended);
    if (in_line)
        co_return Place{std::uint64_t(rows.integer(0, 0)), std::uint32_t(rows.integer(0, 1)),
                        std::uint64_t(rows.integer(0, 2)), std::uint64_t(rows.integer(0, 3))};
    if (used_before) {
        join.place.phase = phase_last;
        join.place.position = 0;
    }
    TRY(co_await tx.run(put_member, {join.event, join.account, join.place.epoch, join.place.phase,
                                     join.place.position, join.place.arrival, tx.now}));
    co_return join.place;
}

Task<Result<bool>> write_admissions(Tx& tx, EventId event, std::vector<Admission> admitted,
                                    std::vector<MessageId> messages) {
    for (std::size_t i = 0; i < admitted.size(); ++i) {
        const Admission& a = admitted[i];
        TRY(co_await tx.run(set_active, {event, a.account, a.token, a.until}));
        const std::string data = "{\"eventId\":\"" + event.text() + "\",\"accountId\":\"" +
                                 a.account.text() + "\",\"until\":\"" + to_rfc3339(a.until) + "\"}";
        TRY(co_await append_event(tx, messages[i],
                                  {topic_queue, a.account.bytes, "Admitted", 1, data, ""}));
    }
    co_return true;
}

Task<Result<bool>> write_end(Tx& tx, EventId event, AccountId account) {
    TRY(co_await tx.run(set_ended, {event, account}));
    co_return true;
}

Task<Result<std::vector<std::pair<AccountId, Member>>>> read_line(Tx& tx, EventId event) {
    const Rows rows = TRY(co_await tx.run(all_members, {event}));
    std::vector<std::pair<AccountId, Member>> members;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Member m;
        m.place = {std::uint64_t(rows.integer(i, 1)), std::uint32_t(rows.integer(i, 2)),
                   std::uint64_t(rows.integer(i, 3)), std::uint64_t(rows.integer(i, 4))};
        m.state = MemberState(rows.integer(i, 5));
        m.token = Id<void>::from(rows.bytes(i, 6)).bytes;
        m.until = rows.instant(i, 7);
        m.seen = tx.now;
        members.emplace_back(rows.id<AccountId>(i, 0), m);
    }
    co_return members;
}

} // namespace urr::queue
