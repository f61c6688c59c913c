#include "libs/sql/postgres_text.hpp"

namespace urr {

namespace {

bool in_word(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// Where the quoted text or the comment that begins at `at` ends; `at` if none does.
std::size_t end_of_quiet(std::string_view text, std::size_t at) {
    if (text[at] == '\'' || text[at] == '"') {
        const std::size_t end = text.find(text[at], at + 1);
        return end == text.npos ? text.size() : end + 1;
    }
    if (!text.substr(at).starts_with("--")) return at;
    const std::size_t end = text.find('\n', at);
    return end == text.npos ? text.size() : end;
}

struct Phrase {
    std::string_view from, to;
};
// Longer ones first.
constexpr Phrase phrases[] = {
    {"INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"},
    {"WITHOUT ROWID", ""},
    {"INTEGER", "BIGINT"},
    {"BLOB", "BYTEA"},
};

const Phrase* phrase_at(std::string_view text, std::size_t at) {
    if (at > 0 && in_word(text[at - 1])) return nullptr;
    for (const Phrase& phrase : phrases) {
        const std::size_t end = at + phrase.from.size();
        if (text.substr(at).starts_with(phrase.from) && (end >= text.size() || !in_word(text[end])))
            return &phrase;
    }
    return nullptr;
}

} // namespace

std::string postgres_statement(const Statement& statement) {
    const std::string_view text(statement.postgres ? statement.postgres : statement.sql);
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        if (const std::size_t end = end_of_quiet(text, i); end != i) {
            out += text.substr(i, end - i);
            i = end;
        } else {
            out += text[i] == '?' ? '$' : text[i];
            ++i;
        }
    }
    return out;
}

std::string postgres_schema(std::string_view script) {
    std::string out;
    for (std::size_t i = 0; i < script.size();) {
        if (const std::size_t end = end_of_quiet(script, i); end != i) {
            out += script.substr(i, end - i);
            i = end;
        } else if (const Phrase* phrase = phrase_at(script, i)) {
            out += phrase->to;
            i += phrase->from.size();
        } else {
            out += script[i++];
        }
    }
    return out;
}

} // namespace urr
