// Every route of every service stands in the contract, and the other way round; so do the codes.
#include <unistd.h>

#include <filesystem>
#include <set>

#include "apps/urr/keys.hpp"
#include "apps/urr/settings.hpp"
#include "apps/urr/system.hpp"
#include "tests/contract/contract.hpp"

namespace urr {
namespace {

namespace fs = std::filesystem;

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = char(c - 32);
    return out;
}

// "ticket POST /api/v1/reservations"
std::set<std::string> routes_of_contract() {
    std::set<std::string> routes;
    const JsonValue& paths = *contract("openapi").find("paths");
    for (std::size_t i = 0; i < paths.names.size(); ++i) {
        const JsonValue& item = paths.items[i];
        for (std::size_t k = 0; k < item.names.size(); ++k) {
            const std::string service(at(item.items[k], {"x-urr"})->text_of("service"));
            if (service == "process") continue; // answered before any service
            routes.insert(service + " " + upper(item.names[k]) + " " + paths.names[i]);
        }
    }
    return routes;
}

std::set<std::string> routes_of_code(bool uploads_only = false) {
    const fs::path folder =
        fs::temp_directory_path() / ("urr_contract_" + std::to_string(::getpid()));
    must(app::make_keys(folder.string()));
    const std::string data = "URR_DATA=" + folder.string();
    char* environment[] = {const_cast<char*>(data.c_str()), nullptr};
    const Settings settings = must(app::read_settings(environment));
    std::set<std::string> routes;
    {
        auto loop = make_asio_loop();
        Loop::Enter in(loop.get());
        SystemClock clock;
        must(app::Stores::open(folder.string(), clock)); // makes them
        LineLog log(-1, clock, "test", Level::error);
        const auto system = must(app::System::make(settings, app::Roles{}, *loop, log));
        for (const ServiceComponent* part : system->components()) {
            if (!part->router()) continue;
            for (const Router::Route& route : part->router()->routes())
                if (route.upload || !uploads_only)
                    routes.insert(std::string(part->name()) + " " +
                                  std::string(method_name(route.method)) + " " + route.pattern);
        }
    }
    fs::remove_all(folder);
    return routes;
}

TEST(Contract, every_route_of_the_code_stands_in_it) {
    const auto known = routes_of_contract();
    const auto code = routes_of_code();
    EXPECT_GT(code.size(), 30u);
    for (const std::string& route : code)
        EXPECT_TRUE(known.contains(route)) << "add to api/openapi.yaml: " << route;
}

// The gateway lets larger bodies pass by the contract, the service takes them by its route.
TEST(Contract, says_which_routes_take_uploads) {
    const JsonValue& paths = *contract("openapi").find("paths");
    std::set<std::string> uploads;
    for (std::size_t i = 0; i < paths.names.size(); ++i)
        for (std::size_t k = 0; k < paths.items[i].names.size(); ++k)
            if (const JsonValue* needs = at(paths.items[i].items[k], {"x-urr"});
                needs->find("upload"))
                uploads.insert(std::string(needs->text_of("service")) + " " +
                               upper(paths.items[i].names[k]) + " " + paths.names[i]);
    EXPECT_EQ(uploads, routes_of_code(true));
    EXPECT_EQ(uploads.size(), 1u);
}

TEST(Contract, every_route_in_it_is_answered_by_the_code) {
    const auto code = routes_of_code();
    for (const std::string& route : routes_of_contract())
        EXPECT_TRUE(code.contains(route)) << "no code for: " << route;
}

std::set<std::string> codes_of_table() {
    std::set<std::string> codes;
#define URR_ERROR(code, status, retryable, korean, english) codes.insert(#code);
#include "libs/core/errors.def"
#undef URR_ERROR
    return codes;
}

TEST(Contract, has_the_codes_of_the_error_table_and_no_others) {
    std::set<std::string> listed;
    for (const JsonValue& code :
         at(contract("openapi"), {"components", "schemas", "ProblemCode", "enum"})->items)
        listed.insert(code.text);
    EXPECT_EQ(listed, codes_of_table());
}

// The statuses of an operation's own codes are among its responses, and a 4xx that is there for
// no code is a leftover.
TEST(Contract, gives_each_operation_the_statuses_of_its_codes) {
    const JsonValue& openapi = contract("openapi");
    std::set<std::string> everywhere;
    for (const JsonValue& code : openapi.find("x-problems-everywhere")->items)
        everywhere.insert(std::to_string(find_code(code.text)->status));
    const JsonValue& paths = *openapi.find("paths");
    for (std::size_t i = 0; i < paths.names.size(); ++i) {
        for (const JsonValue& operation : paths.items[i].items) {
            const std::string where = std::string(operation.text_of("operationId"));
            std::set<std::string> wanted;
            if (const JsonValue* problems = operation.find("x-problems"))
                for (const JsonValue& code : problems->items) {
                    const CodeInfo* row = find_code(code.text);
                    ASSERT_TRUE(row) << where << ": " << code.text;
                    wanted.insert(std::to_string(row->status));
                }
            const JsonValue& responses = *operation.find("responses");
            for (const std::string& status : wanted)
                EXPECT_TRUE(responses.find(status)) << where << " lacks " << status;
            for (const std::string& status : responses.names)
                EXPECT_TRUE(status < "400" || status == "503" || wanted.contains(status) ||
                            everywhere.contains(status))
                    << where << " has " << status << " for no code";
        }
    }
}

} // namespace
} // namespace urr
