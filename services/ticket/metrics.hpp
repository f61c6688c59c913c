// Every figure ticket reports.
#pragma once
#include "libs/contract/answer_metrics.hpp"
#include "libs/core/result.hpp"

namespace urr::ticket {

struct FileFigures {
    Counter stored, served, failed;
};

struct Metrics {
    FileFigures files;
    Counter held, seats_held, repeated, cancelled, seats_lapsed;
    Counter begun, confirmed, declined, failed, strays, failed_follows;
    Counter locked;   // of those taken, without asking the store
    Counter stuck;    // refused, since somebody keeps a lock
    Counter set_back; // maps that were of a store that is no more
    Counter taken, over_limit, paused, not_on_sale, refused_otherwise;
    Histogram hold_time; // of the store's part
    Gauge events, seats_free, seats_under_way, listeners;

    void refused(Code code) {
        if (code == Code::SEAT_TAKEN)
            taken.add();
        else if (code == Code::SEAT_LIMIT)
            over_limit.add();
        else if (code == Code::BOOKING_PAUSED)
            paused.add();
        else if (code == Code::EVENT_NOT_ON_SALE)
            not_on_sale.add();
        else
            refused_otherwise.add();
    }

    void append(MetricsText& out, const AnswerMetrics& answers) const {
        answers.write(out, "urr_ticket");
        out.counter("urr_ticket_reservations_total", "Reservations made.", held);
        out.counter("urr_ticket_seats_held_total", "Seats held.", seats_held);
        out.counter("urr_ticket_repeats_total", "Answers given again by their key.", repeated);
        constexpr std::string_view refusals = "urr_ticket_refused_total";
        constexpr std::string_view why = "Reservations refused.";
        out.counter(refusals, why, taken, R"(code="SEAT_TAKEN")");
        out.counter(refusals, why, over_limit, R"(code="SEAT_LIMIT")");
        out.counter(refusals, why, paused, R"(code="BOOKING_PAUSED")");
        out.counter(refusals, why, not_on_sale, R"(code="EVENT_NOT_ON_SALE")");
        out.counter(refusals, why, refused_otherwise, R"(code="other")");
        out.counter("urr_ticket_locked_total",
                    "Of these, refused by a lock without asking the store.", locked);
        out.counter("urr_ticket_cancelled_total", "Reservations cancelled.", cancelled);
        out.counter("urr_ticket_seats_lapsed_total", "Seats whose hold ran out.", seats_lapsed);
        out.counter("urr_ticket_payments_begun_total", "Payments that were let begin.", begun);
        out.counter("urr_ticket_confirmed_total", "Reservations paid.", confirmed);
        out.counter("urr_ticket_declined_total", "Declines that kept the hold.", declined);
        out.counter("urr_ticket_failed_total", "Outcomes that ended a reservation.", failed);
        out.counter("urr_ticket_follow_failed_total",
                    "Times that other processes' changes could not be read.", failed_follows);
        out.counter("urr_ticket_stuck_total", "Refused, since somebody keeps a lock in the store.",
                    stuck);
        out.counter("urr_ticket_maps_set_back_total",
                    "Maps that knew more than the store: it was set back.", set_back);
        out.counter("urr_ticket_strays_total", "Captures that no reservation took.", strays);
        out.counter("urr_ticket_posters_stored_total", "Posters that were uploaded.", files.stored);
        out.counter("urr_ticket_images_served_total", "Posters that were given out.", files.served);
        out.counter("urr_ticket_files_failed_total",
                    "Times that the store of files did not take, give or remove one.",
                    files.failed);
        out.histogram("urr_ticket_hold_seconds", "From asking the store to its answer.", hold_time);
        out.gauge("urr_ticket_events", "Events that are known.", events.value());
        out.gauge("urr_ticket_seats_free", "Seats that could be held now.", seats_free.value());
        out.gauge("urr_ticket_seats_under_way", "Seats held or being paid.",
                  seats_under_way.value());
        out.gauge("urr_ticket_listeners", "Open seat streams.", listeners.value());
    }
};

} // namespace urr::ticket
