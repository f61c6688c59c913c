#include "sim/plants.hpp"

namespace urr::sim {

namespace {

constexpr PlantInfo all[] = {
    {Plant::skip_the_fence, "skip-the-fence",
     "payment captures without asking ticket to begin, and ticket takes any captured payment"},
    {Plant::acknowledge_before_commit, "acknowledge-before-commit",
     "the stores answer before the commit is on the disk"},
    {Plant::deliver_twice, "deliver-twice",
     "ticket does not know an event that it has taken already", "ticket",
     "CREATE TRIGGER IF NOT EXISTS planted_inbox AFTER INSERT ON inbox BEGIN "
     "DELETE FROM inbox WHERE id = new.id; END;"
     "CREATE TRIGGER IF NOT EXISTS planted_payment AFTER UPDATE OF payment ON reservations "
     "WHEN new.payment IS NOT NULL BEGIN "
     "UPDATE reservations SET payment = NULL WHERE id = new.id; END;"},
    {Plant::spend_a_receipt_twice, "spend-a-receipt-twice",
     "queue does not note which account a waiting-room token belongs to", "queue",
     "CREATE TRIGGER IF NOT EXISTS planted_token AFTER INSERT ON spent_tokens BEGIN "
     "DELETE FROM spent_tokens WHERE token = new.token; END;"},
    {Plant::forget_a_place, "forget-a-place",
     "queue writes every fourth place down as ended, so that a restart forgets it", "queue",
     "CREATE TRIGGER IF NOT EXISTS planted_place AFTER INSERT ON members "
     "WHEN new.arrival % 4 = 0 BEGIN "
     "UPDATE members SET state = 2 WHERE event = new.event AND account = new.account; END;"},
    {Plant::sync_off, "sync-off", "the stores do not wait for the disk (synchronous=OFF)"},
    {Plant::forget_the_high_water_mark, "forget-the-high-water-mark",
     "the waiting room does not write down which positions it has leased", "vwr",
     "CREATE TRIGGER IF NOT EXISTS planted_mark AFTER UPDATE OF next_position ON waiting_rooms "
     "WHEN new.next_position > 1 BEGIN "
     "UPDATE waiting_rooms SET next_position = 1 WHERE event_id = new.event_id; END;"},
    {Plant::lose_an_event, "lose-an-event", "payment's outbox loses every third event", "payment",
     "CREATE TRIGGER IF NOT EXISTS planted_loss AFTER INSERT ON outbox "
     "WHEN new.sequence % 3 = 0 BEGIN DELETE FROM outbox WHERE sequence = new.sequence; END;"},
    {Plant::free_a_sold_seat, "free-a-sold-seat", "a seat that was sold counts as free again",
     "ticket",
     "CREATE TRIGGER IF NOT EXISTS planted_seat AFTER UPDATE OF state ON seats "
     "WHEN new.state = 3 AND new.seat % 3 = 0 BEGIN "
     "UPDATE seats SET state = 0 WHERE event = new.event AND seat = new.seat; END;"},
    {Plant::forget_a_hold, "forget-a-hold", "a hold counts as over at once", "ticket",
     "CREATE TRIGGER IF NOT EXISTS planted_hold AFTER UPDATE OF state ON seats "
     "WHEN new.state = 1 BEGIN "
     "UPDATE seats SET hold_until_us = 0 WHERE event = new.event AND seat = new.seat; END;"},
    {Plant::unbalance_the_ledger, "unbalance-the-ledger", "a capture is posted on one side only",
     "payment",
     "CREATE TRIGGER IF NOT EXISTS planted_posting AFTER INSERT ON ledger "
     "WHEN new.posting = 1 BEGIN DELETE FROM ledger WHERE entry = new.entry AND posting = 1; END;"},
    {Plant::run_ahead, "run-ahead",
     "ticket stores its time five seconds ahead, and is early after each restart", "ticket",
     "CREATE TRIGGER IF NOT EXISTS planted_time AFTER UPDATE ON store_time BEGIN "
     "UPDATE store_time SET now_us = new.now_us + 5000000; END;"},
};

constexpr PlantInfo nothing{Plant::none, "none", "no planted bug"};

} // namespace

std::span<const PlantInfo> plants() { return all; }

const PlantInfo& info_of(Plant plant) {
    for (const PlantInfo& each : all)
        if (each.plant == plant) return each;
    return nothing;
}

std::optional<Plant> find_plant(std::string_view name) {
    for (const PlantInfo& each : all)
        if (each.name == name) return each.plant;
    return std::nullopt;
}

} // namespace urr::sim
