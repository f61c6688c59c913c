#include <algorithm>
#include <cstdio>
#include <set>

#include "apps/urr/rehearsal/audit.hpp"
#include "apps/urr/rehearsal/stampede.hpp"

namespace urr::app {

namespace {

constexpr const char* call_names[reported_calls] = {"assign", "status",  "check",  "entry",
                                                    "seats",  "reserve", "confirm"};

// In milliseconds, of times in microseconds that are sorted.
double percentile_ms(const std::vector<std::int64_t>& sorted, double part) {
    if (sorted.empty()) return 0;
    const auto at = std::min(sorted.size() - 1, std::size_t(double(sorted.size()) * part));
    return double(sorted[at]) / 1000;
}

// Values are numbers and names of our own making: nothing needs escaping.
class Writer {
public:
    void open(const char* name) {
        key(name);
        text_ += '{';
    }
    void close() { text_ += '}'; }
    void put(const std::string& name, std::int64_t value) {
        key(name);
        text_ += std::to_string(value);
    }
    void put(const std::string& name, double value) {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.2f", value);
        key(name);
        text_ += digits;
    }
    void put(const std::string& name, bool value) {
        key(name);
        text_ += value ? "true" : "false";
    }
    std::string take() { return text_ + '}'; }

private:
    void key(const std::string& name) {
        if (text_.back() != '{') text_ += ',';
        text_.append("\"").append(name).append("\":");
    }
    std::string text_ = "{";
};

} // namespace

std::string report_of(const StampedePlan& plan, const StampedeFigures& figures,
                      const Audit& audit) {
    Writer out;
    out.put("fans", plan.fans);
    out.put("seats", plan.seats);
    out.put("sold", audit.sold);
    out.put("soldOutSeconds", figures.sold_out_s);
    out.put("ordersPerSecond",
            figures.sold_out_s > 0 ? double(figures.sold) / figures.sold_out_s : 0.0);
    out.put("requests", figures.requests);
    out.put("failedRequests", figures.failed);
    out.open("errorsByCode");
    for (const auto& [code, count] : figures.errors) out.put(code, count);
    out.close();
    out.open("latencyMs");
    for (std::size_t i = 0; i < reported_calls; ++i) {
        std::vector<std::int64_t> sorted = figures.latency_us[i];
        std::sort(sorted.begin(), sorted.end());
        out.open(call_names[i]);
        out.put("p50", percentile_ms(sorted, 0.5));
        out.put("p99", percentile_ms(sorted, 0.99));
        out.put("max", percentile_ms(sorted, 1));
        out.close();
    }
    out.close();
    out.open("audit");
    out.put("ok", audit.ok());
    out.put("oversold", audit.oversold);
    out.put("paidWithoutSeat", audit.paid_without_seat);
    out.put("lostConfirmed", audit.lost_confirmed);
    out.put("orderViolations", audit.order_violations);
    out.put("moneyImbalance", audit.money_imbalance);
    out.put("unexplained", audit.unexplained);
    out.close();
    if (plan.kills > 0) {
        out.put("kills", figures.kills);
        out.put("slowestReadySeconds", double(figures.slowest_ready.us) / 1e6);
    }
    return out.take();
}

std::string timeline_of(const Record& record) {
    constexpr const char* names[calls] = {"assign",  "status",  "check",       "entry", "seats",
                                          "reserve", "confirm", "reservation", "leave"};
    std::string out;
    std::set<std::string_view> confirmed;
    for (const Told& told : record.told) {
        if (told.is(Call::reservation) && told.state == "confirmed" &&
            confirmed.insert(told.id).second)
            out += std::to_string(told.at_us) + " sold\n";
        if (told.status == 0 || told.status >= 500)
            out += std::to_string(told.at_us) + " failed " + names[std::size_t(told.call)] + ' ' +
                   std::to_string(told.status) + ' ' + (told.code.empty() ? "-" : told.code) + '\n';
    }
    return out;
}

} // namespace urr::app
