// The line as it is written down: joins before they are answered, admissions and ends with their
// event. All are works for `transact`; each answers what took effect, and memory follows it.
#pragma once
#include "libs/contract/queue_events.hpp"
#include "libs/sql/database.hpp"
#include "services/queue/domain/line.hpp"

namespace urr::queue {

struct Join {
    EventId event;
    AccountId account;
    Place place;
    Place end_of_line;  // for whoever has spent a place of this epoch already
    IdBytes receipt{};  // of tier 1, or zero
    bool shown = false; // the place was signed by us: it stands for its receipt
};
struct Joined {
    Place place;
    IdBytes receipt{};
};
// Whether that place was given when this one, which has ended, had done so. What is bound to the
// same receipt is the same place, however late it was given again.
bool is_after_end(const Member& ended, const Place& place, const IdBytes& receipt);

// The event's epoch, which does not rise before this work ends; 0: nothing is known of the event.
Task<Result<std::uint64_t>> read_epoch(Tx& tx, EventId event);

// The place that holds: the one written before, or the one given. VWR_TOKEN_SPENT when another
// account has used the receipt; ROOM_CHANGED when the line was cleared meanwhile.
Task<Result<Joined>> write_join(Tx& tx, Join join);

// An entry token that is shown after the store was lost takes its slot again, if the store knows
// nothing of the account. ENTRY_TOKEN_REVOKED when it ended before its time; an ended member when
// he has bought meanwhile, and it is revoked now.
struct Retake {
    EventId event;
    AccountId account;
    std::uint64_t epoch = 0;
    IdBytes entry{};
    Instant admitted, until; // as the token tells them: the second in which they are
    // Of the place that was spent for it: no later than this.
    std::uint64_t arrival_max() const { return std::uint64_t((admitted + seconds(1)).us) - 1; }
};
Task<Result<std::optional<Member>>> write_retake(Tx& tx, Retake retake);

// Those that were waiting still; the others have left meanwhile.
Task<Result<std::vector<Admission>>> write_admissions(Tx& tx, GenerationId generation,
                                                      EventId event,
                                                      std::vector<Admission> admitted,
                                                      std::vector<MessageId> messages);
// False: the entry is not active any more.
Task<Result<bool>> write_fetched(Tx& tx, EventId event, AccountId account, IdBytes entry);
// False: it was fetched at the last moment, or is not active any more.
Task<Result<bool>> write_return(Tx& tx, GenerationId generation, EventId event, AccountId account,
                                IdBytes entry, MessageId message);

enum class EndReason : std::uint8_t { left, bought, expired, cleared };
std::string_view end_reason_name(EndReason reason);
struct Ended {
    bool ended = false; // false: had ended before
    IdBytes entry{};    // to revoke, where it has time left
    Instant until;
};
Task<Result<Ended>> write_end(Tx& tx, GenerationId generation, EventId event, AccountId account,
                              EndReason reason, MessageId message);
// The slot of this entry is over. A place that the account has taken since stays.
Task<Result<Ended>> write_expired(Tx& tx, GenerationId generation, EventId event, AccountId account,
                                  IdBytes entry, MessageId message);
// A purchase ends the slot that was there when it was made, also one that a lost store does not
// know yet; `seen` takes effect once. QUEUE_RECOVERING: nothing is known of the event.
Task<Result<Ended>> write_purchase(Tx& tx, GenerationId generation, EventId event,
                                   AccountId account, Instant bought, MessageId seen,
                                   MessageId message);

// How a record's `fetched` reads: 0 no, 1 yes, 2 over when it was heard of, more: bought then, µs.
void read_fetched(std::uint64_t stored, Member& member);
std::int64_t fetched_number(const Member& member);

struct StoredMember {
    AccountId account;
    Member member;
};
Task<Result<std::vector<StoredMember>>> read_line(Tx& tx, EventId event);
Task<Result<std::optional<Member>>> read_member(Tx& tx, EventId event, AccountId account);
// The same for a work that changes it.
Task<Result<std::optional<Member>>> lock_member(Tx& tx, EventId event, AccountId account);

struct RevokedEntry {
    EventId event;
    IdBytes entry{};
    Instant until;
};
// Forgets what has expired, answers the rest.
Task<Result<std::vector<RevokedEntry>>> read_revoked(Tx& tx);
Task<Result<bool>> write_revoked(Tx& tx, EventId event, IdBytes entry, Instant until);

} // namespace urr::queue
