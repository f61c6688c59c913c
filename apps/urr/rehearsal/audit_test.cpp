// The audit must fail loudly. Goal: each of its six headings is seen when it is planted in a copy
// of sound stores, and when it is planted in a copy of a sound record.
#include "apps/urr/rehearsal/audit_house.hpp"

#include <fstream>

namespace urr::app {
namespace {

namespace fs = std::filesystem;

TEST_F(Audits, pass_sound_stores_and_a_sound_record) {
    const Audit a = audit();
    EXPECT_TRUE(a.ok()) << (a.findings.empty() ? "" : a.findings[0]);
    EXPECT_EQ(a.sold, 2);
    EXPECT_EQ(a.free, 1);
}

// --- planted in the stores

TEST_F(Audits, see_two_tickets_for_one_seat) {
    sql("ticket",
        "DROP INDEX tickets_seat; UPDATE reservations SET seats = '1,0' WHERE id = " +
            hex_of(0xb0, 2) +
            "; INSERT INTO tickets (id, reservation, event, seat, account, serial, state, "
            "created_us) VALUES (x'dd', " +
            hex_of(0xb0, 2) + ", " + hex_of(0xe0, 0) + ", 0, " + hex_of(0xa0, 2) + ", 1, 0, 0)");
    record.closed = false;
    expect_only(&Audit::oversold);
}
TEST_F(Audits, see_a_ticket_for_a_seat_that_is_not_sold) {
    sql("ticket", "UPDATE seats SET state = 0, reservation = NULL WHERE seat = 0; "
                  "UPDATE accounts SET seats = 0 WHERE account = " +
                      hex_of(0xa0, 1));
    expect_only(&Audit::oversold);
}
TEST_F(Audits, see_more_seats_than_a_person_may_have) {
    sql("ticket", "UPDATE events SET seats_per_person = 0");
    expect_only(&Audit::oversold, 2);
}
TEST_F(Audits, see_money_kept_without_a_seat) {
    sql("acquirer", "INSERT INTO charges (key, amount, state, ready_us, refunded) "
                    "VALUES (x'cc', 50, 0, 0, 0)");
    sql("payment", "INSERT INTO ledger (entry, posting, account, amount, at_us) VALUES "
                   "(x'cc', 0, 'acquirer', 50, 0), (x'cc', 1, 'customers', -50, 0)");
    expect_only(&Audit::paid_without_seat);
}
TEST_F(Audits, see_captured_money_of_an_expired_hold_that_was_not_refunded) {
    sql("ticket",
        "UPDATE reservations SET state = 3, payment = NULL WHERE id = " + hex_of(0xb0, 2) +
            "; DELETE FROM tickets WHERE seat = 1; UPDATE seats SET state = 0, "
            "reservation = NULL WHERE seat = 1; UPDATE accounts SET seats = 0 "
            "WHERE account = " +
            hex_of(0xa0, 2));
    std::erase_if(record.told, [](const Told& t) { return t.fan == 2 && t.call >= Call::confirm; });
    expect_only(&Audit::paid_without_seat);
}
TEST_F(Audits, see_a_confirmed_ticket_that_is_gone) {
    sql("ticket", "DELETE FROM tickets WHERE seat = 1");
    const Audit a = audit();
    EXPECT_GE(a.lost_confirmed, 1);
}
TEST_F(Audits, see_a_reservation_with_fewer_tickets_than_seats) {
    sql("ticket", "UPDATE reservations SET seats = '1,2' WHERE id = " + hex_of(0xb0, 2));
    expect_only(&Audit::lost_confirmed);
}
TEST_F(Audits, see_who_was_let_in_before_an_earlier_one) {
    sql("queue", "UPDATE members SET admitted_us = 105000000 WHERE position = 1; "
                 "UPDATE members SET admitted_us = 104000000 WHERE position = 2");
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, do_not_mind_who_joined_after_an_admission_or_came_again_after_his_own) {
    sql("queue", "UPDATE members SET admitted_us = 105000000, joined_us = 103000000 "
                 "WHERE position = 1; UPDATE members SET admitted_us = 104000000 "
                 "WHERE position = 2");
    EXPECT_TRUE(audit().ok());
    sql("queue", "UPDATE members SET joined_us = 1 WHERE position = 1; "
                 "UPDATE members SET joined_us = 106000000, state = 0, receipt = zeroblob(16) "
                 "WHERE position = 2");
    EXPECT_TRUE(audit().ok());
}
TEST_F(Audits, see_more_inside_than_the_threshold) {
    sql("queue", "UPDATE members SET state = 1");
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, see_a_line_of_which_the_store_knows_nothing) {
    sql("queue", "DELETE FROM halls");
    record.told.clear();
    record.closed = false;
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, see_an_acknowledged_place_that_the_store_lost) {
    sql("queue", "DELETE FROM members WHERE position = 2");
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, see_a_place_that_was_moved) {
    sql("queue", "UPDATE members SET position = 9 WHERE position = 2");
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, see_a_ledger_entry_that_does_not_balance) {
    sql("payment",
        "UPDATE ledger SET amount = -99 WHERE posting = 1 AND entry = " + hex_of(0xc0, 1));
    expect_only(&Audit::money_imbalance);
}
TEST_F(Audits, see_a_ledger_that_says_otherwise_than_the_acquirer) {
    sql("payment", "DELETE FROM ledger WHERE entry = " + hex_of(0xc0, 1));
    expect_only(&Audit::money_imbalance);
}
TEST_F(Audits, see_money_in_the_ledger_that_was_never_taken) {
    sql("payment", "INSERT INTO ledger (entry, posting, account, amount, at_us) VALUES "
                   "(x'cc', 0, 'acquirer', 5, 0), (x'cc', 1, 'customers', -5, 0)");
    expect_only(&Audit::money_imbalance);
}
TEST_F(Audits, see_an_order_paid_with_another_amount) {
    sql("ticket", "UPDATE reservations SET amount = 99 WHERE id = " + hex_of(0xb0, 1));
    expect_only(&Audit::money_imbalance);
}
TEST_F(Audits, see_a_seat_that_is_neither_sold_nor_free) {
    sql("ticket", "UPDATE seats SET state = 1 WHERE seat = 2");
    expect_only(&Audit::unexplained);
}
TEST_F(Audits, see_a_payment_without_an_outcome) {
    sql("payment", "INSERT INTO attempts (id, order_id, account, amount, state, fence, created_us, "
                   "key, body_sha256) VALUES (x'cd', " +
                       hex_of(0xb0, 3) +
                       ", x'a0', 1, 0, 0, 0, "
                       "'k', x'00')");
    sql("ticket", "INSERT INTO reservations (id, event, account, state, seats, amount, created_us, "
                  "expires_us, fence, declines) VALUES (" +
                      hex_of(0xb0, 3) + ", " + hex_of(0xe0, 0) + ", x'a0', 1, '2', 1, 0, 0, 1, 0)");
    expect_only(&Audit::unexplained);
}
TEST_F(Audits, see_a_count_of_seats_that_is_wrong) {
    sql("ticket", "UPDATE accounts SET seats = 2 WHERE account = " + hex_of(0xa0, 1));
    expect_only(&Audit::unexplained);
}

// --- planted in the record

TEST_F(Audits, see_two_fans_told_of_one_seat) {
    told_to(2, Call::reservation).seats = {0};
    const Audit a = audit();
    EXPECT_EQ(a.oversold, 1);
    EXPECT_EQ(a.lost_confirmed, 1); // and fan 2 does not have it
}
TEST_F(Audits, see_one_told_to_come_in_while_another_was_inside) {
    std::erase_if(record.told, [](const Told& t) { return t.fan == 1 && t.call == Call::confirm; });
    expect_only(&Audit::order_violations);
    for (Told& told : record.told)
        if (told.fan == 1 && told.state == "active") told.expires_us = told.at_us + 1;
    EXPECT_TRUE(audit().ok());
}
TEST_F(Audits, see_a_seat_held_by_two_at_once) {
    Told hold;
    hold.fan = 2;
    hold.call = Call::reserve;
    hold.status = 201;
    hold.id = id_of(0xb0, 2).text();
    hold.seats = {0}; // which fan 1 still holds
    hold.at_us = told_to(1, Call::reserve).at_us + 1;
    hold.expires_us = hold.at_us + 1;
    record.told.insert(record.told.begin() + 5, hold);
    told_to(2, Call::confirm).order = "";
    expect_only(&Audit::oversold);
}
TEST_F(Audits, do_not_mind_who_hears_late_of_a_hold_that_is_over) {
    record.closed = false;
    Told& holder = tell(2, Call::reserve, 201);
    holder.id = id_of(0xb0, 2).text();
    holder.seats = {9};
    holder.expires_us = holder.at_us + 10'000'000;
    Told& late = tell(1, Call::reserve, 201);
    late.id = id_of(0xb0, 1).text();
    late.seats = {9};
    late.expires_us = late.at_us;
    std::erase_if(record.told, [](const Told& t) { return t.call == Call::confirm; });
    sql("queue", "UPDATE halls SET threshold = 2");
    EXPECT_TRUE(audit().ok());
    for (Told& told : record.told)
        if (told.id == id_of(0xb0, 1).text() && told.seats == std::vector<std::int64_t>{9})
            told.expires_us = told.at_us + 1;
    EXPECT_EQ(audit().oversold, 1);
}
TEST_F(Audits, do_not_mind_a_seat_held_again_after_the_hold_ended) {
    record.closed = false;
    for (const int fan : {2, 1}) {
        Told& hold = tell(fan, Call::reserve, 201);
        hold.id = id_of(0xb0, (unsigned char)fan).text();
        hold.seats = {9};
        hold.expires_us = hold.at_us + 1;
    }
    std::erase_if(record.told, [](const Told& t) { return t.call == Call::confirm; });
    sql("queue", "UPDATE halls SET threshold = 2");
    EXPECT_TRUE(audit().ok());
}
TEST_F(Audits, see_too_many_seats_given_to_a_bot) {
    tell(2, Call::reserve, 201).attack = Attack::too_many_seats;
    expect_only(&Audit::oversold);
}
TEST_F(Audits, see_a_fan_who_paid_and_has_no_seat) {
    Told& hold = tell(1, Call::reserve, 201);
    hold.id = id_of(0xb0, 1).text();
    hold.seats = {2};
    expect_only(&Audit::paid_without_seat);
}
TEST_F(Audits, see_a_fan_told_of_a_seat_that_it_does_not_have) {
    told_to(2, Call::reservation).seats = {2};
    expect_only(&Audit::lost_confirmed);
}
TEST_F(Audits, see_a_number_that_was_given_twice) {
    Told& again = tell(2, Call::assign, 201);
    again.position = 1;
    again.id = "receipt3";
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, see_one_kept_waiting_although_a_later_number_was_let_in) {
    told_to(2, Call::check).position = 7;
    Told& waits = tell(1, Call::check, 200);
    waits.position = 6;
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, give_several_doors_a_second_to_hear_that_the_line_moved) {
    told_to(2, Call::check).position = 7;
    const std::int64_t let_in = told_to(2, Call::check).at_us;
    Told& waits = tell(1, Call::check, 200);
    waits.position = 6;
    record.door_lag_us = 1'000'000;
    waits.sent_us = let_in + 900'000;
    waits.at_us = waits.sent_us + 1'000;
    EXPECT_TRUE(audit().ok());
    waits.sent_us = let_in + 1'100'000;
    waits.at_us = waits.sent_us + 1'000;
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, see_a_receipt_that_is_not_known_any_more) {
    tell(1, Call::check, 403).code = "RECEIPT_INVALID";
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, see_a_fan_told_queued_and_later_lost) {
    Told lost = told_to(1, Call::entry);
    lost.status = 404;
    lost.code = "NOT_IN_QUEUE";
    record.told.insert(record.told.begin() + 4, lost);
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, do_not_mind_an_entry_that_ended_with_the_purchase) {
    tell(1, Call::entry, 404).code = "NOT_IN_QUEUE";
    EXPECT_TRUE(audit().ok());
}
TEST_F(Audits, see_one_account_with_two_places) {
    Told second = record.told[3];
    ASSERT_EQ(second.state, "active");
    second.id = "another";
    record.told.insert(record.told.begin() + 4, second);
    expect_only(&Audit::order_violations);
}
TEST_F(Audits, see_what_a_bot_gained) {
    for (const Attack attack :
         {Attack::forged_receipt, Attack::foreign_receipt, Attack::spent_room_token,
          Attack::no_entry_token, Attack::forged_entry_token, Attack::foreign_entry_token}) {
        tell(2, Call::check, 200).attack = attack;
        expect_only(&Audit::order_violations);
        record.told.pop_back();
    }
}
TEST_F(Audits, see_a_payment_that_the_store_does_not_know) {
    told_to(1, Call::confirm).id = id_of(0xc0, 9).text();
    expect_only(&Audit::money_imbalance);
}
TEST_F(Audits, see_a_fan_who_was_refused_and_charged) {
    Told& refused = told_to(1, Call::confirm);
    refused.status = 409;
    refused.code = "PAYMENT_DECLINED";
    expect_only(&Audit::unexplained);
}
TEST_F(Audits, see_a_hold_that_was_lost_before_its_end) {
    Told lost = told_to(1, Call::confirm);
    lost.status = 409;
    lost.code = "HOLD_EXPIRED";
    record.told.insert(record.told.begin() + 5, lost);
    expect_only(&Audit::unexplained);
}
TEST_F(Audits, see_a_hold_that_the_store_does_not_have) {
    Told& hold = tell(2, Call::reserve, 201);
    hold.id = id_of(0xb0, 77).text();
    hold.seats = {2};
    expect_only(&Audit::unexplained);
}
TEST_F(Audits, see_a_ticket_that_nobody_asked_for) {
    std::erase_if(record.told, [](const Told& t) { return t.fan == 1 && t.call >= Call::reserve; });
    sql("queue", "UPDATE halls SET threshold = 2");
    expect_only(&Audit::unexplained);
}
TEST_F(Audits, see_an_internal_error) {
    tell(1, Call::seats, 500).code = "INTERNAL";
    expect_only(&Audit::unexplained);
}

// --- what it reads

TEST_F(Audits, wait_for_holds_and_payments_that_are_under_way) {
    const StorePaths paths = stores_in(folder.string());
    EXPECT_EQ(must(under_way(paths, event)), 0);
    sql("ticket", "UPDATE seats SET state = 1 WHERE seat = 2");
    EXPECT_EQ(must(under_way(paths, event)), 1);
    sql("ticket", "UPDATE reservations SET payment = NULL WHERE id = " + hex_of(0xb0, 2));
    EXPECT_EQ(must(under_way(paths, event)), 2);
}
TEST_F(Audits, read_stores_by_folder_or_one_by_one) {
    const auto read = [&](const std::string& text) {
        std::ofstream(folder / "stores") << text;
        return read_stores_file((folder / "stores").string());
    };
    EXPECT_EQ(must(read("# all\n\nfolder=/a\n")).queue, "/a/queue.db");
    EXPECT_EQ(must(read("folder=/a\npayment=/b/p.db\n")).payment, "/b/p.db");
    EXPECT_TRUE(must(read("folder=/a\nqueue=redis\n")).line_is_in_redis());
    EXPECT_FALSE(read("ticket=/a\n"));
    EXPECT_FALSE(read("folder=/a\ncolour=red\n"));
    EXPECT_FALSE(read_stores_file((folder / "none").string()));
    Audit a;
    EXPECT_FALSE(audit_stores(stores_in("/nowhere"), event, a));
}
TEST_F(Audits, do_not_write_to_what_they_read) {
    const auto before = fs::last_write_time(folder / "ticket.db");
    (void)audit();
    EXPECT_EQ(fs::last_write_time(folder / "ticket.db"), before);
}

} // namespace
} // namespace urr::app
