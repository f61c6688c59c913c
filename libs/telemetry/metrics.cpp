#include "libs/telemetry/metrics.hpp"

#include <cstdio>

namespace urr {

namespace {

std::string in_seconds(std::int64_t us) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", double(us) / 1e6);
    return text;
}

} // namespace

void Histogram::observe(Duration took) {
    std::size_t at = 0;
    while (at < bounds_us.size() && took.us > bounds_us[at]) ++at;
    buckets_[at].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(took.us, std::memory_order_relaxed);
}

void MetricsText::head(std::string_view name, std::string_view help, std::string_view type) {
    if (last_name_ == name) return;
    last_name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    text_.append(name).append(" ").append(type).append("\n");
}

void MetricsText::line(std::string_view name, std::string_view suffix, std::string_view labels,
                       std::string_view value) {
    text_.append(name).append(suffix);
    if (!labels.empty()) text_.append("{").append(labels).append("}");
    text_.append(" ").append(value).append("\n");
}

void MetricsText::counter(std::string_view name, std::string_view help, std::uint64_t value,
                          std::string_view labels) {
    head(name, help, "counter");
    line(name, "", labels, std::to_string(value));
}

void MetricsText::gauge(std::string_view name, std::string_view help, std::int64_t value,
                        std::string_view labels) {
    head(name, help, "gauge");
    line(name, "", labels, std::to_string(value));
}

void MetricsText::histogram(std::string_view name, std::string_view help, const Histogram& value,
                            std::string_view labels) {
    head(name, help, "histogram");
    const std::string before = labels.empty() ? "" : std::string(labels) + ",";
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= Histogram::bounds_us.size(); ++i) {
        total += value.bucket(i);
        const std::string bound =
            i < Histogram::bounds_us.size() ? in_seconds(Histogram::bounds_us[i]) : "+Inf";
        line(name, "_bucket", before + "le=\"" + bound + "\"", std::to_string(total));
    }
    line(name, "_sum", labels, in_seconds(value.sum_us()));
    line(name, "_count", labels, std::to_string(total));
}

} // namespace urr
