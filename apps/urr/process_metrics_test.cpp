#include "apps/urr/process_metrics.hpp"

#include "libs/http/test_server.hpp"

namespace urr::app {
namespace {

std::string scrape(const ProcessMetrics& metrics) {
    MetricsText out;
    metrics.append_metrics(out);
    return out.text();
}

TEST(ProcessMetrics, each_listener_shows_what_it_did_and_has_open) {
    Running first, second;
    ProcessMetrics metrics;
    metrics.watch("vwr", 0, *first.server);
    metrics.watch("vwr", 1, *second.server);
    Raw raw(first.port());
    raw.ask(get("/hot") + get("/items/a"), "a");
    Raw listens(second.port());
    listens.ask(get("/stream"), "data: 1");
    const std::string text = scrape(metrics);
    const auto has = [&](std::string_view line) { return text.find(line) != std::string::npos; };
    EXPECT_TRUE(has("\nurr_http_requests_total{listener=\"vwr\",loop=\"0\"} 2\n"
                    "urr_http_requests_total{listener=\"vwr\",loop=\"1\"} 1\n"))
        << text;
    EXPECT_TRUE(has("\nurr_http_connections_open{listener=\"vwr\",loop=\"0\"} 1\n"));
    EXPECT_TRUE(has("\nurr_http_streams_open{listener=\"vwr\",loop=\"0\"} 0\n"));
    EXPECT_TRUE(has("\nurr_http_streams_open{listener=\"vwr\",loop=\"1\"} 1\n"));
}

} // namespace
} // namespace urr::app
