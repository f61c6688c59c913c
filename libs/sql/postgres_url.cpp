// What is wrong with a database's URL, said before it is used and without quoting it.
#include <libpq-fe.h>

#include <algorithm>

#include "libs/core/this_machine.hpp"
#include "libs/sql/postgres_database.hpp"

namespace urr {

namespace {

struct Parts {
    char* error = nullptr; // before what sets it
    PQconninfoOption* options = nullptr;
    explicit Parts(const std::string& url) : options(PQconninfoParse(url.c_str(), &error)) {}
    ~Parts() {
        PQconninfoFree(options);
        PQfreemem(error);
    }
    std::string_view value(std::string_view keyword) const {
        for (const PQconninfoOption* o = options; o && o->keyword; ++o)
            if (o->keyword == keyword && o->val) return o->val;
        return {};
    }
};

// All of them: names with commas between; a folder of sockets is here too.
bool are_this_machine(std::string_view hosts) {
    while (!hosts.empty()) {
        const std::size_t comma = hosts.find(',');
        const std::string_view host = hosts.substr(0, comma);
        if (!is_this_machine(host) && !host.starts_with('/')) return false;
        if (comma == hosts.npos) break;
        hosts.remove_prefix(comma + 1);
    }
    return true;
}

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; !list.empty() && from <= list.size();) {
        const std::size_t comma = std::min(list.find(',', from), list.size());
        parts.emplace_back(list.substr(from, comma - from));
        from = comma + 1;
    }
    return parts;
}

} // namespace

Result<> check_postgres_url(const std::string& url) {
    const Parts parts(url);
    if (!parts.options || parts.value("host").empty() || parts.value("dbname").empty())
        return fail(Code::UNAVAILABLE, "not a URL like postgresql://user@host:5432/database");
    const std::string_view mode = parts.value("sslmode");
    if (!mode.empty() && mode != "verify-full" &&
        (!are_this_machine(parts.value("host")) || !are_this_machine(parts.value("hostaddr"))))
        return fail(Code::UNAVAILABLE, "sslmode=" + std::string(mode) +
                                           " does not verify a server on another machine: use "
                                           "verify-full and sslrootcert");
    return {};
}

std::string user_of_postgres_url(const std::string& url) {
    return std::string(Parts(url).value("user"));
}

// libpq marks what is not to be shown.
std::vector<std::string> secrets_of_postgres_url(const std::string& url) {
    const Parts parts(url);
    std::vector<std::string> all;
    for (const PQconninfoOption* o = parts.options; o && o->keyword; ++o)
        if (o->val && *o->val && std::string_view(o->dispchar) == "*") all.emplace_back(o->val);
    return all;
}

// libpq's own rule: as many ports as hosts, or one for all. Where addresses are given beside the
// names, the two lists belong together, and libpq goes through them by itself.
std::vector<PostgresHost> hosts_of_postgres_url(const std::string& url) {
    const Parts parts(url);
    std::vector<PostgresHost> all;
    if (!parts.value("hostaddr").empty()) return {{}};
    const std::vector<std::string> hosts = split(parts.value("host"));
    const std::vector<std::string> ports = split(parts.value("port"));
    for (std::size_t i = 0; i < hosts.size(); ++i)
        all.push_back({hosts[i], ports.empty() ? "" : ports[std::min(i, ports.size() - 1)]});
    return all;
}

} // namespace urr
