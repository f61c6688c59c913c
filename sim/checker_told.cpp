// The second half of the checker: what the stores hold against what the clients were told.
#include "sim/checker.hpp"

namespace urr::sim {

namespace {

constexpr Statement reservations{"SELECT id, account, seats, state, payment FROM reservations"};
constexpr Statement tickets{"SELECT id, account, state FROM tickets"};
constexpr Statement attempts{"SELECT id, state FROM attempts"};
constexpr Statement members{
    "SELECT account, epoch, phase, position, arrival, state, until_us, fetched FROM members"};
constexpr Statement kept_charges{
    "SELECT key, amount FROM charges WHERE state = 0 AND refunded = 0"};
constexpr Statement ledger_money{
    "SELECT entry, sum(amount) FROM ledger WHERE account = 'acquirer' GROUP BY entry "
    "HAVING sum(amount) <> 0"};

constexpr int waiting = 0, active = 1, ended = 2;
constexpr const char* state_names[] = {"waits", "is in", "has ended"};
constexpr int reservation_confirmed = 2;
constexpr Duration silence = seconds(40); // well below what the product forgives

std::string id_at(const Rows& rows, std::size_t row, std::size_t column) {
    return rows.id<Id<void>>(row, column).text();
}

} // namespace

void Checker::check_acknowledged() {
    const Back::Stores& stores = *back_.stores();
    const auto orders = stores.ticket->ask(reservations);
    const auto sold = stores.ticket->ask(tickets);
    const auto paid = stores.payment->ask(attempts);
    const auto line = stores.queue->ask(members);
    if (!orders || !sold || !paid || !line) return; // the disk has died meanwhile
    std::map<std::string, std::size_t> order_rows;
    std::set<std::string> buyers, attempts_kept, tickets_kept;
    for (std::size_t i = 0; i < orders->size(); ++i) {
        order_rows[id_at(*orders, i, 0)] = i;
        if (orders->integer(i, 3) == reservation_confirmed) buyers.insert(id_at(*orders, i, 1));
    }
    for (std::size_t i = 0; i < paid->size(); ++i)
        if (paid->integer(i, 1) == 1 || paid->integer(i, 1) == 5) // captured, refunded
            attempts_kept.insert(id_at(*paid, i, 0));
    for (std::size_t i = 0; i < sold->size(); ++i) tickets_kept.insert(id_at(*sold, i, 0));

    for (const auto& [id, hold] : told_.holds()) {
        const auto row = order_rows.find(id);
        if (row == order_rows.end()) {
            violations_.add("hold " + id + " was acknowledged and is lost");
            continue;
        }
        std::string seats;
        for (const std::int64_t seat : hold.seats)
            seats += (seats.empty() ? "" : ",") + std::to_string(seat);
        if (orders->text(row->second, 2) != seats || id_at(*orders, row->second, 1) != hold.account)
            violations_.add("hold " + id + " is not what was acknowledged");
    }
    for (const std::string& id : told_.confirmations())
        if (!order_rows.contains(id) ||
            orders->integer(order_rows.at(id), 3) != reservation_confirmed)
            violations_.add("reservation " + id + " was confirmed and is not any more");
    for (const auto& [payment, order] : told_.captures())
        if (!attempts_kept.contains(payment))
            violations_.add("payment " + payment + " was acknowledged and is lost");
    for (const auto& [id, account] : told_.tickets())
        if (!tickets_kept.contains(id)) violations_.add("ticket " + id + " is lost");
    check_members(*line, buyers);
}

void Checker::check_members(const Rows& rows, const std::set<std::string>& buyers) {
    std::map<std::string, std::size_t> row_of;
    for (std::size_t i = 0; i < rows.size(); ++i) row_of[id_at(rows, i, 0)] = i;
    for (const auto& [account, fan] : told_.fans()) {
        if (!fan.in_line) continue;
        const auto row = row_of.find(account);
        if (row == row_of.end()) {
            violations_.add("the place of " + account + " is lost");
            continue;
        }
        const std::size_t i = row->second;
        if (rows.integer(i, 5) == ended && !fan.left && !buyers.contains(account)) {
            const Instant until = rows.instant(i, 6), latest = around_.clock.latest();
            if (until == Instant{})
                violations_.add("the place of " + account + " was ended before its slot");
            else if (until > latest)
                violations_.add("the slot of " + account + " was ended for no reason, " +
                                std::to_string((until - latest).us / 1000) + " ms before its time");
        }
        // Who has had his slot comes last from then on. He may not know of it: every answer that
        // told him was lost, and he asked again after its end (a clock that jumped ends it soon).
        if (around_.plan.room && fan.joins == 1 && !fan.pays && !had_slot_.contains(account) &&
            !fan.positions.contains(rows.integer(i, 3)))
            violations_.add("the line has " + account + " at position " +
                            std::to_string(rows.integer(i, 3)) + ", not as in the receipt");
    }
}

void Checker::check_line(SqliteDatabase& queue) {
    const auto rows = queue.ask(members);
    if (!rows) return;
    std::map<std::string, Standing> now;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const std::string account = id_at(*rows, i, 0);
        const Standing standing{rows->integer(i, 1), rows->integer(i, 2), rows->integer(i, 3),
                                rows->integer(i, 4), rows->integer(i, 5)};
        const auto before = line_.find(account);
        if (before == line_.end() || before->second.state != standing.state)
            around_.trace.note("in the line " + account + " " + state_names[standing.state] +
                               ", position " + std::to_string(standing.position));
        // Where the entry was never handed out, the slot may not end the place.
        if (standing.state == ended && rows->boolean(i, 7) &&
            rows->instant(i, 6) <= around_.clock.latest())
            had_slot_.insert(account);
        now.emplace(account, standing);
    }
    check_order(now);
    line_ = std::move(now);
}

// Whoever was just let in may not have overtaken one who stood before and gave signs of life.
void Checker::check_order(const std::map<std::string, Standing>& now) {
    const Standing* last = nullptr; // the hindmost of those let in
    for (const auto& [account, standing] : now) {
        const auto before = line_.find(account);
        if (before == line_.end() || before->second.state != waiting || standing.state != active)
            continue;
        if (!last || last->place() < standing.place()) last = &standing;
    }
    if (!last) return;
    const Instant time = around_.world.now();
    for (const auto& [account, standing] : now) {
        const auto before = line_.find(account);
        if (standing.state != waiting || before == line_.end() || before->second.state != waiting ||
            standing.place() >= last->place())
            continue;
        const Told::Fan& fan = told_.fan(account);
        const bool surely_there =
            fan.in_line && !fan.left && time - fan.in_line_since > seconds(2) &&
            time - fan.last_sign < silence && weather_.clock_turned() < fan.last_sign;
        if (surely_there)
            violations_.add(account + " stood at position " + std::to_string(standing.position) +
                            " and was overtaken by position " + std::to_string(last->position));
    }
}

void Checker::check_money() {
    const auto charges = bank_.store().ask(kept_charges);
    const auto ledger = back_.stores()->payment->ask(ledger_money);
    if (!charges || !ledger) return violations_.add("the money cannot be read");
    std::map<std::string, std::int64_t> balance;
    for (std::size_t i = 0; i < charges->size(); ++i)
        balance[id_at(*charges, i, 0)] += charges->integer(i, 1);
    for (std::size_t i = 0; i < ledger->size(); ++i)
        balance[id_at(*ledger, i, 0)] -= ledger->integer(i, 1);
    for (const auto& [payment, difference] : balance)
        if (difference != 0)
            violations_.add("the bank and the ledger differ by " + std::to_string(difference) +
                            " at payment " + payment);
}

} // namespace urr::sim
