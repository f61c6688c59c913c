// The checker: what the stores hold, read by SQL of its own, against the promises of the product
// and against what the clients were told (told.hpp). Shares no code with the services.
//
//   after each step in which a store has changed   no seat twice, no paid seat without its ticket,
//                                                  counts, ledger, order of admission
//   after each restart and at the end              everything that was acknowledged is there
//   at the end                                     everything is settled, and the bank's money is
//   ours
#pragma once
#include "sim/front.hpp"
#include "sim/told.hpp"
#include "sim/weather.hpp"

namespace urr::sim {

class Checker {
public:
    Checker(Surroundings& around, Front& front, Back& back, Bank& bank, Weather& weather,
            Told& told, Violations& violations)
        : around_(around), front_(front), back_(back), bank_(bank), weather_(weather), told_(told),
          violations_(violations) {}

    void after_step();
    // Nothing is under way any more: holds, attempts, events.
    bool settled();
    // What keeps it from being settled, for the report.
    std::string unsettled();
    void at_the_end();
    std::uint64_t sold() const { return sold_; }

private:
    struct Watch {
        std::uint64_t batches = 0;
        std::int64_t changes = 0;
    };
    bool changed(SqliteDatabase& store, Watch& watch);
    void no_rows(SqliteDatabase& store, const Statement& statement);
    void check_acknowledged();
    void check_line(SqliteDatabase& queue);
    void check_members(const Rows& rows, const std::set<std::string>& buyers);
    void check_lapses(SqliteDatabase& ticket);
    void check_room(SqliteDatabase& room);
    void check_money();

    // A member of the line as the store had it last.
    struct Standing {
        std::int64_t epoch = 0, phase = 0, position = 0, arrival = 0, state = 0;
        auto place() const { return std::tuple(epoch, phase, position, arrival); }
    };
    void check_order(const std::map<std::string, Standing>& now);

    Surroundings& around_;
    Front& front_;
    Back& back_;
    Bank& bank_;
    Weather& weather_;
    Told& told_;
    Violations& violations_;
    Watch ticket_, payment_, queue_, room_;
    bool back_was_ready_ = false;
    std::map<std::string, Standing> line_;
    std::set<std::string> had_slot_; // to the end of its time, by the store
    std::int64_t serving_ = 0;
    std::uint64_t sold_ = 0;
};

} // namespace urr::sim
