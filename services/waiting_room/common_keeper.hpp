// The keeper of rooms that several processes share. Each leases blocks of its own and takes reports
// for any room; one of them, by a fenced lease, serves the lines. Nothing in memory is the truth: a
// turn reads the rooms, changes copies, and writes each back if nobody changed it meanwhile; else
// it reads and does it again. What must not be lost on the way (how many places of a block were
// given, a report) is kept until a write with it has succeeded.
//
// A block is opened only if its write took less than a second, so that it is over within two: who
// serves waits four seconds for a block's end before he takes its holder for gone. Order is that of
// arrival within the second for which blocks live. `ahead` counts what is left of blocks that were
// out at the same time only once they end: with N processes it may be too high by the rest of N-1
// blocks, never too low. No-shows are not made up for: who came is known at many processes.
#pragma once
#include <deque>
#include <unordered_map>

#include "services/waiting_room/keeper.hpp"
#include "services/waiting_room/store/common_store.hpp"

namespace urr::waiting_room {

class CommonKeeper final : public Keeper {
public:
    CommonKeeper(Loop& home, RoomTable& rooms, CommonStore& store, Random& random, RateRule rule);

    Task<Result<>> open(Context context) override;
    bool counts_no_shows() const override { return false; }
    // Does this process serve the lines? Home loop.
    bool serves() const { return serves_; }

private:
    struct End { // how a block of ours ended; the store may not know yet
        std::uint64_t epoch = 0, first = 0, used = 0;
    };
    struct Kept {
        explicit Kept(SharedRoom& loops, const RateRule& rule) : shared(&loops), advancer(rule) {}
        // The line ends where it does now.
        void mark(Instant now);
        std::uint64_t gone_before(Instant now);

        SharedRoom* shared;
        CommonRoom room; // as the store had it
        LeaseSize size;
        std::optional<LeaseBlock> open; // its places are given out now
        std::uint64_t open_epoch = 0;
        std::vector<End> ends;
        std::vector<Steer*> reports;
        // Of who serves:
        std::optional<Line> line;
        std::uint64_t line_fence = 0; // whose settling it goes on from
        std::uint64_t line_epoch = 0;
        std::uint16_t line_phase = 0;
        Advancer advancer;
        bool due = false;                                    // this second's serving
        std::deque<std::pair<Instant, std::uint64_t>> marks; // when the line ended where,
        std::uint64_t marks_epoch = 0;                       // in this epoch
    };
    struct Attempt { // one room's way to the store
        Kept* kept = nullptr;
        RoomWrite write;
        std::optional<LeaseBlock> begun;
        Advancer advancer_before;
        bool served = false;
        bool dirty = false;
    };

    Task<> turn() override;
    Task<> finish() override;
    void note(const EventId&, std::uint64_t, std::uint64_t) override {}

    void sort_reports();
    Task<Result<>> refresh(Context context);
    void adopt(CommonRoom stored, Instant now);
    Task<> hold_server_lease(Context context, Instant now);
    Task<> load_lines(Context context);
    Attempt prepare(Kept& kept, Instant now);
    void close_block(Kept& kept, Instant now);
    void apply_ends(Attempt& attempt);
    void apply_reports(Attempt& attempt, Instant now);
    void serve(Attempt& attempt, Instant now);
    void begin_block(Attempt& attempt);
    Task<> write(Context context, std::vector<Attempt> attempts);
    void written(Attempt& attempt, Instant sent, Instant now);
    void not_written(Attempt& attempt, const Error& error);
    void open_block(Kept& kept, const LeaseBlock& block, Instant now);
    void settle(Kept& kept, Result<> with);
    void show(Kept& kept, Instant now);
    Kept* find_or_add(const EventId& event);
    Instant store_now(Instant now) const { return store_time_ + (now - store_time_at_); }

    CommonStore& store_;
    const std::uint64_t me_; // this process, among the holders
    std::vector<std::unique_ptr<Kept>> rooms_;
    std::unordered_map<EventId, Kept*, IdHash> by_event_;
    Instant store_time_, store_time_at_; // at the last reading, and by the loop's clock
    bool behind_ = true;                 // somebody wrote since, or an outcome is unknown
    int conflicts_ = 0;                  // in a row
    ServerLease server_, seen_server_;
    Instant seen_since_;
    bool serves_ = false;
};

} // namespace urr::waiting_room
