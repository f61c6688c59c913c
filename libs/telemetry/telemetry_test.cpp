#include <gtest/gtest.h>
#include <unistd.h>

#include "libs/core/json.hpp"
#include "libs/core/must.hpp"
#include "libs/telemetry/log.hpp"
#include "libs/telemetry/metrics.hpp"

namespace urr {
namespace {

TEST(Metrics, head_stands_once_before_the_lines_of_a_name) {
    Counter taken, limit;
    taken.add(2);
    MetricsText out;
    out.counter("urr_refused_total", "Refused.", taken, "code=\"A\"");
    out.counter("urr_refused_total", "Refused.", limit, "code=\"B\"");
    EXPECT_EQ(out.text(), "# HELP urr_refused_total Refused.\n# TYPE urr_refused_total counter\n"
                          "urr_refused_total{code=\"A\"} 2\nurr_refused_total{code=\"B\"} 0\n");
}

TEST(Metrics, histogram_counts_up_to_each_bound) {
    Histogram times;
    times.observe(Duration{100});
    times.observe(Duration{101});
    times.observe(seconds(20));
    MetricsText out;
    out.histogram("urr_time_seconds", "Time.", times);
    EXPECT_NE(out.text().find("_bucket{le=\"0.0001\"} 1\n"), std::string::npos) << out.text();
    EXPECT_NE(out.text().find("_bucket{le=\"0.00025\"} 2\n"), std::string::npos);
    EXPECT_NE(out.text().find("_bucket{le=\"10\"} 2\n"), std::string::npos);
    EXPECT_NE(out.text().find("_bucket{le=\"+Inf\"} 3\n"), std::string::npos);
    EXPECT_NE(out.text().find("_count 3\n"), std::string::npos);
}

TEST(LineLog, writes_one_json_object_a_line_from_its_level_on) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const SystemClock clock;
    LineLog log(ends[1], clock, "ticket", Level::info);
    log.write(Level::debug, "unseen", {}, nullptr);
    log.write(Level::warning, "odd", {{"text", "a\"b\n"}, {"count", 3}}, nullptr);
    ::close(ends[1]);
    char buffer[1024];
    const auto size = ::read(ends[0], buffer, sizeof buffer);
    ::close(ends[0]);
    ASSERT_GT(size, 0);
    const std::string_view line(buffer, std::size_t(size));
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const JsonValue entry = must(parse_json(line));
    EXPECT_EQ(entry.text_of("event"), "odd");
    EXPECT_EQ(entry.text_of("text"), "a\"b\n");
    EXPECT_EQ(entry.integer_of("count"), 3);
    EXPECT_EQ(entry.text_of("level"), "warning");
}

} // namespace
} // namespace urr
