#include "services/auth/mail.hpp"

#include <cstdio>

#include "libs/security/base64url.hpp"

namespace urr::auth {

namespace {

// RFC 2047: a subject in any language on one line of ASCII.
std::string encoded_word(std::string_view text) {
    std::string word = base64url(text);
    for (char& c : word) c = c == '-' ? '+' : c == '_' ? '/' : c;
    word.append((4 - word.size() % 4) % 4, '=');
    return "=?UTF-8?B?" + word + "?=";
}

// Tue, 24 Nov 2026 22:09:14 +0000
std::string mail_date(Instant at) {
    constexpr std::string_view days = "ThuFriSatSunMonTueWed"; // 1970 began on a Thursday
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const std::string text = to_rfc3339(at); // 2026-11-24T22:09:14.000Z
    const auto day = std::size_t(at.us / hours(24).us % 7);
    const auto month = std::size_t((text[5] - '0') * 10 + (text[6] - '0') - 1);
    std::string date(days.substr(day * 3, 3));
    date.append(", ").append(text, 8, 2).append(" ").append(months.substr(month * 3, 3));
    date.append(" ").append(text, 0, 4).append(" ").append(text, 11, 8).append(" +0000");
    return date;
}

} // namespace

std::string mail_text(const Mail& mail, std::string_view from) {
    std::string out = "From: ";
    out.append(from).append("\r\nTo: ").append(mail.to);
    out.append("\r\nSubject: ").append(encoded_word(mail.subject));
    out.append("\r\nDate: ").append(mail_date(mail.written));
    const std::size_t at = from.rfind('@');
    const std::string_view domain = at == std::string_view::npos ? "urr" : from.substr(at + 1);
    out.append("\r\nMessage-ID: <").append(mail.id).append("@");
    out.append(domain.substr(0, domain.find('>'))).append(">\r\nMIME-Version: 1.0");
    out += "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
           "Auto-Submitted: auto-generated\r\n\r\n";
    for (const char c : mail.text) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

} // namespace urr::auth
