// What an organizer may do while the sale runs: look, and pull levers. Each pull says what it does,
// is written down with who did it, and survives a restart.
#include "services/queue/service.hpp"

namespace urr::queue {

namespace {

constexpr std::int64_t acts_max = 100;

std::string text_of(const Pull& pull) {
    std::string text = "{";
    const auto member = [&text](std::string_view name) -> std::string& {
        return text.append(text.size() > 1 ? ",\"" : "\"").append(name).append("\":");
    };
    if (pull.threshold) member("threshold") += std::to_string(*pull.threshold);
    if (pull.per_second) member("perSecond") += std::to_string(*pull.per_second);
    if (pull.paused) member("paused") += *pull.paused ? "true" : "false";
    if (pull.room)
        member("state").append("\"").append(room_lever_names[std::size_t(*pull.room)].name) += '"';
    if (pull.message) append_json_text(member("message"), *pull.message);
    if (pull.clear) member("clear") += "true";
    return text + "}";
}

} // namespace

Overview Service::overview_of(const Hall& of) const {
    return {{of.line.waiting(), of.line.awake(), of.line.active(), of.seen.waiting},
            of.levers,
            of.epoch,
            of.pace.per_second(),
            recovering(of)};
}

Result<Overview> Service::overview(const EventId& event) {
    TRY_PLAIN(parts_.events.find(event));
    return overview_of(hall(event));
}

Task<Result<Pulled>> Service::pull(Context context, EventId event, Pull pull, bool dry_run) {
    const EventFacts facts = TRY(co_await facts_of(context, event));
    TRY(co_await know(context, event, facts));
    Hall& of = hall(event);
    Pulled out{overview_of(of), {}};
    out.overview.levers = pulled(of.levers, pull, of.levers.pulls.last() + 1);
    out.effect = effect_of(out.overview.levers, pull, out.overview.crowd, facts.on_sale);
    if (dry_run) co_return out;
    Act act{event, context.principal.account, pull, text_of(pull), message_id(), generation_};
    if (pull.clear) {
        TRY(co_await clear(context, of, std::move(act)));
    } else {
        of.levers = newest(of.levers, TRY(co_await parts_.lines.pull(context, std::move(act))));
        of.levers_told = now();
    }
    metrics_.levers.add();
    if (!of.audience.empty()) show(of, facts);
    out.overview = overview_of(of);
    co_return out;
}

Task<Result<void>> Service::clear(Context context, Hall& of, Act act) {
    const auto epoch = std::uint64_t(std::max<std::int64_t>(0, now().us));
    const Cleared cleared = TRY(co_await parts_.lines.clear(context, std::move(act), epoch));
    metrics_.cleared.add(std::uint64_t(of.line.waiting() + of.line.active()));
    take_clear(of, cleared);
    co_return Result<void>{};
}

void Service::take_clear(Hall& of, const Cleared& cleared) {
    for (const RevokedEntry& entry : cleared.revoked)
        parts_.revoked.revoke(entry.event, entry.entry, entry.until);
    of.epoch = cleared.epoch;
    of.seen = {};
    // Who is of this epoch already stays, as in the store: after a loss the log may have told of
    // him before it told of the clear.
    of.line.end_before(cleared.epoch);
    dismiss_cleared(of);
}

// Whoever listens and has no place any more is told so.
void Service::dismiss_cleared(Hall& of) {
    std::vector<AccountId> gone;
    of.audience.each_account([&](const AccountId& account) {
        if (!of.line.find(account)) gone.push_back(account);
    });
    const Frame frame = event_frame("ended", R"({"reason":"cleared"})");
    for (const AccountId& account : gone) of.audience.dismiss(account, frame);
}

Task<Result<std::vector<DoneAct>>> Service::acts(Context context, EventId event) {
    TRY(parts_.events.find(event));
    co_return TRY(co_await parts_.lines.acts(context, event, acts_max));
}

} // namespace urr::queue
