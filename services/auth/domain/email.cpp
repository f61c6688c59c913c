#include "services/auth/domain/email.hpp"

namespace urr::auth {

namespace {

constexpr std::size_t local_bytes_max = 64, label_bytes_max = 63;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_atom(char c) {
    return is_letter_or_digit(c) ||
           std::string_view("!#$%&'*+/=?^_`{|}~-").find(c) != std::string_view::npos;
}

// Parts between dots, none empty, all of good characters.
template <class Good>
bool dotted(std::string_view text, std::size_t part_max, Good good) {
    std::size_t length = 0;
    for (const char c : text) {
        if (c == '.') {
            if (length == 0) return false;
            length = 0;
        } else if (!good(c) || ++length > part_max) {
            return false;
        }
    }
    return length > 0;
}

bool is_domain(std::string_view text) {
    const auto good = [](char c) { return is_letter_or_digit(c) || c == '-'; };
    if (!dotted(text, label_bytes_max, good)) return false;
    if (text.find('.') == std::string_view::npos) return false;
    if (text.front() == '-' || text.back() == '-') return false;
    return text.find("-.") == std::string_view::npos && text.find(".-") == std::string_view::npos;
}

} // namespace

std::optional<std::string> normal_email(std::string_view text) {
    if (text.size() > email_bytes_max) return std::nullopt;
    std::string email(text);
    for (char& c : email)
        if (c >= 'A' && c <= 'Z') c = char(c + 32);
    const std::size_t at = email.rfind('@');
    if (at > local_bytes_max) return std::nullopt; // there is none, or it comes too late
    const std::string_view all = email;
    if (!dotted(all.substr(0, at), local_bytes_max, is_atom)) return std::nullopt;
    if (!is_domain(all.substr(at + 1))) return std::nullopt;
    return email;
}

} // namespace urr::auth
