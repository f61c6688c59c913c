#include "services/auth/domain/password_policy.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace urr::auth {

namespace {

// In lower case, each once.
constexpr std::string_view known_bad[] = {
#define URR_BAD(word) word,
#include "services/auth/domain/known_bad_passwords.def"
#undef URR_BAD
};

// Words around which people hang digits and marks: "Password2026!", "qwerty123456".
constexpr std::string_view stems[] = {
    "password", "passwort",  "passw",   "pass",       "qwerty",  "qwertyuiop", "asdf",
    "asdfgh",   "asdfghjkl", "zxcvbnm", "welcome",    "letmein", "admin",      "administrator",
    "login",    "iloveyou",  "monkey",  "dragon",     "master",  "sunshine",   "princess",
    "football", "baseball",  "shadow",  "superman",   "batman",  "trustno",    "hello",
    "freedom",  "whatever",  "secret",  "changeme",   "default", "guest",      "test",
    "user",     "root",      "abc",     "abcd",       "urr",     "ticket",     "tickets",
    "concert",  "korea",     "seoul",   "samsung",    "spring",  "summer",     "autumn",
    "winter",   "dkssud",    "tkfkd",   "qlalfqjsgh", "gksrnr"};

std::size_t characters(std::string_view text) {
    return std::size_t(std::count_if(text.begin(), text.end(),
                                     [](char c) { return ((unsigned char)c & 0xc0) != 0x80; }));
}

// As a guesser's rules would undo it: lower case, common stand-ins for letters.
std::string plain(std::string_view password) {
    constexpr std::string_view odd = "@$013457!", even = "asoleastl";
    std::string text;
    for (char c : password) {
        if (c >= 'A' && c <= 'Z') c = char(c + 32);
        const std::size_t at = odd.find(c);
        text += at == std::string_view::npos ? c : even[at];
    }
    return text;
}

std::string lower(std::string_view password) {
    std::string text(password);
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = char(c + 32);
    return text;
}

bool is_known(std::string_view text) {
    return std::find(std::begin(known_bad), std::end(known_bad), text) != std::end(known_bad);
}

// What is left without digits and marks at both ends.
std::string_view stem_of(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || ((unsigned char)c & 0x80); };
    while (!text.empty() && !letter(text.back())) text.remove_suffix(1);
    while (!text.empty() && !letter(text.front())) text.remove_prefix(1);
    return text;
}

// "aaaaaaaa", "abcabcabc", "12121212": one short piece over and over.
bool repeats(std::string_view text) {
    for (std::size_t period = 1; period <= 4 && period * 2 <= text.size(); ++period)
        if (text.substr(period) == text.substr(0, text.size() - period)) return true;
    return false;
}

// "abcdefgh", "87654321": each character next to the one before.
bool runs(std::string_view text) {
    for (const int step : {1, -1}) {
        bool all = true;
        for (std::size_t i = 1; i < text.size() && all; ++i) all = text[i] - text[i - 1] == step;
        if (all) return true;
    }
    return false;
}

} // namespace

std::string_view password_fault(std::string_view password, std::string_view email) {
    if (password.size() > password_bytes_max) return "is longer than 256 bytes";
    if (characters(password) < password_characters_min) return "needs at least 8 characters";
    const std::string small = lower(password), undone = plain(password);
    if (repeats(small)) return "repeats one short piece";
    if (runs(small)) return "is a row of neighbours";
    if (is_known(small) || is_known(undone)) return "is one of those that are tried first";
    const std::string_view stem = stem_of(small);
    if (std::find(std::begin(stems), std::end(stems), stem) != std::end(stems))
        return "is a common word with something around it";
    const std::string_view name = email.substr(0, email.find('@'));
    if (small == email || (name.size() >= 4 && stem == stem_of(name)))
        return "is the address with something around it";
    return {};
}

} // namespace urr::auth
