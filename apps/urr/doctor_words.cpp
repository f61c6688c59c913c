#include "apps/urr/doctor_words.hpp"

#include <algorithm>
#include <iterator>

#include "libs/sql/postgres_database.hpp"

namespace urr::app {

namespace {

enum class Trouble : std::uint8_t { untrusted, refused, not_primary, away };

struct Sign {
    std::string_view said; // in lower case
    Trouble trouble;
};

// The first that stands in the text counts: a certificate that is refused breaks a connection, too.
constexpr Sign signs[] = {
    {"certificate", Trouble::untrusted},
    {"hostname mismatch", Trouble::untrusted},
    {"ip address mismatch", Trouble::untrusted},
    {"ssl handshake failed", Trouble::untrusted},
    {"password", Trouble::refused}, // of PostgreSQL, and WRONGPASS of Redis
    {"noauth", Trouble::refused},
    {"authentication failed", Trouble::refused},
    {"sasl authentication error", Trouble::refused},
    {"invalid credentials", Trouble::refused},
    {"no credentials", Trouble::refused},
    {"unrecognizedclient", Trouble::refused},
    {"invalidclienttokenid", Trouble::refused},
    {"signaturedoesnotmatch", Trouble::refused},
    {"invalidsignature", Trouble::refused},
    {"expiredtoken", Trouble::refused},
    {"accessdenied", Trouble::refused},
    {"not the primary", Trouble::not_primary},
    {"does not know the primary", Trouble::not_primary},
    {"read-only", Trouble::not_primary},
    {"connection refused", Trouble::away},
    {"timed out", Trouble::away},
    {"timeout expired", Trouble::away},
    {"no answer", Trouble::away},
    {"unknown host", Trouble::away},
    {"host not found", Trouble::away},
    {"could not translate", Trouble::away},
    {"resolve", Trouble::away},
    {"unreachable", Trouble::away},
    {"no route", Trouble::away},
    {"reset by peer", Trouble::away},
    {"end of file", Trouble::away},
    {"closed", Trouble::away},
    {"starting up", Trouble::away},
    {"loading", Trouble::away},
};

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return out;
}

void replace_all(std::string& text, std::string_view what) {
    constexpr std::string_view instead = "(secret)";
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += instead.size())
        text.replace(at, what.size(), instead);
}

// "scheme://user:PASSWORD@host/path?password=PASSWORD", as they stand there.
std::vector<std::string> passwords_of(std::string_view url) {
    constexpr std::string_view named = "password=";
    const std::size_t begin = url.find("://");
    if (begin == std::string_view::npos) return {};
    std::vector<std::string> all;
    const std::size_t end = url.find('@', begin + 3), colon = url.find(':', begin + 3);
    if (end != std::string_view::npos && colon < end)
        all.emplace_back(url.substr(colon + 1, end - colon - 1));
    for (std::size_t at = begin; (at = url.find(named, at)) != std::string_view::npos;) {
        at += named.size();
        all.emplace_back(url.substr(at, url.find('&', at) - at));
    }
    return all;
}

// libpq speaks in several lines.
std::string in_one_line(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
        if (!space) out += c;
        if (space && !out.empty() && out.back() != ' ') out += ' ';
    }
    return out;
}

} // namespace

std::string in_plain_words(std::string_view words, const Mend& mend) {
    std::string said = in_one_line(words);
    const std::string text = lower(said);
    const auto sign = std::ranges::find_if(
        signs, [&](const Sign& each) { return text.find(each.said) != std::string::npos; });
    if (sign == std::end(signs)) return said;
    const std::string quoted = " (" + said + "): ";
    switch (sign->trouble) {
    case Trouble::untrusted:
        return "its certificate does not verify" + quoted + std::string(mend.authority) +
               " must have the authority that signed it, and the address must be a name in it";
    case Trouble::refused:
        return "it does not let us in" + quoted + "mend " + std::string(mend.secret);
    case Trouble::not_primary:
        return "nobody there takes writes" + quoted + "promote a standby, or mend " +
               std::string(mend.address) + " (docs/operations.md, Failover)";
    case Trouble::away:
        return "not reached" + quoted + "is it running, is the network open, is " +
               std::string(mend.address) + " right?";
    }
    return said;
}

std::string without_secrets(std::string text, const Settings& settings) {
    std::vector<std::string> secrets;
    for (const SettingRow& row : settings.rows()) {
        if (row.kind != Kind::secret) continue;
        const std::string& value = settings.text(row.name);
        secrets.push_back(value);
        std::ranges::move(passwords_of(value), std::back_inserter(secrets));
        std::ranges::move(secrets_of_postgres_url(value), std::back_inserter(secrets));
    }
    for (std::size_t i = secrets.size(); i-- > 0;) secrets.push_back(in_one_line(secrets[i]));
    // One may hold another: the longest first, of which nothing may be left.
    std::ranges::sort(secrets, std::ranges::greater{}, &std::string::size);
    for (const std::string& secret : secrets)
        if (!secret.empty()) replace_all(text, secret);
    return text;
}

} // namespace urr::app
