#include "libs/security/jwt.hpp"

#include <sodium.h>

#include "libs/security/base64url.hpp"
#include "libs/security/jwt_text.hpp"

namespace urr {

namespace {

// Who may take a token of each type: its `aud`.
constexpr std::string_view type_names[token_types] = {"access", "vwr", "place", "entry", "ticket"};
constexpr std::string_view audiences[token_types] = {"urr", "urr-queue", "urr-queue", "urr-seats",
                                                     "urr-gate"};
constexpr std::uint64_t seconds_max = 99'999'999'999; // of times; in µs it fits
constexpr std::string_view role_names[] = {"anonymous", "user", "staff", "admin"};

const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

void member(std::string& out, std::string_view name, std::string_view text) {
    out += out.size() > 1 ? ",\"" : "\"";
    out.append(name).append("\":\"").append(text).append("\"");
}

void member(std::string& out, std::string_view name, std::uint64_t number) {
    out += out.size() > 1 ? ",\"" : "\"";
    out.append(name).append("\":").append(std::to_string(number));
}

bool plain_text(std::string_view text) {
    for (const char c : text)
        if ((unsigned char)c < 0x20 || c == '"' || c == '\\') return false;
    return true;
}

std::string body_of(const Claims& claims) {
    const auto type = std::size_t(claims.type);
    std::string body = "{";
    member(body, "typ", type_names[type]);
    member(body, "aud", audiences[type]);
    if (!claims.subject.is_zero()) member(body, "sub", claims.subject.text());
    member(body, "jti", id_text(claims.id));
    if (!claims.event.is_zero()) member(body, "event", claims.event.text());
    member(body, "iat", std::uint64_t(claims.issued.us / 1'000'000));
    member(body, "exp", std::uint64_t(claims.expires.us / 1'000'000));
    if (claims.type == TokenType::access) {
        member(body, "email", plain_text(claims.email) ? claims.email : std::string());
        body += claims.email_verified ? ",\"emailVerified\":true" : ",\"emailVerified\":false";
        member(body, "role", role_names[std::size_t(claims.role)]);
        if (!claims.session.is_zero()) member(body, "sid", claims.session.text());
    }
    if (claims.type == TokenType::vwr || claims.type == TokenType::place) {
        member(body, "epoch", claims.epoch);
        member(body, "phase", claims.phase);
        member(body, "position", claims.position);
    }
    if (claims.type == TokenType::place) member(body, "arrival", claims.arrival);
    if (claims.type == TokenType::ticket) {
        member(body, "seat", std::uint64_t(claims.seat));
        member(body, "serial", claims.serial);
    }
    return body + "}";
}

std::optional<Role> role_of(std::string_view text) {
    for (std::size_t i = 0; i < std::size(role_names); ++i)
        if (role_names[i] == text) return Role(i);
    return std::nullopt;
}

std::unexpected<Error> refuse(const char* reason) { return fail(Code::TOKEN_INVALID, reason); }

struct Parts {
    std::string_view header, body, signature, signed_part;
};

std::optional<Parts> split(std::string_view token) {
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                 token.substr(second + 1), token.substr(0, second)};
}

Result<> check_signature(const PublicKeys& keys, const Parts& parts, TokenType type, Instant now) {
    const auto header_text = read_base64url(parts.header);
    if (!header_text) return refuse("the header is not base64url");
    const auto header = FlatObject::parse(*header_text);
    if (!header) return refuse("the header is not a flat object");
    if (header->string("alg") != "EdDSA") return refuse("the algorithm is not EdDSA");
    if (header->string("typ") != type_names[std::size_t(type)]) return refuse("another type");
    const auto kid = header->string("kid");
    const PublicKey* key = kid ? keys.find(type, *kid) : nullptr;
    if (!key || key->until <= now) return refuse("signed by an unknown key");
    std::array<unsigned char, 64> signature;
    if (!read_base64url(parts.signature, signature)) return refuse("the signature is malformed");
    if (crypto_sign_ed25519_verify_detached(signature.data(), raw(parts.signed_part),
                                            parts.signed_part.size(), key->bytes.data()) != 0)
        return refuse("the signature does not fit");
    return {};
}

// The session is zero where the token names none; false when what it names is no id.
bool read_session(const FlatObject& body, SessionId& session) {
    const auto text = body.string("sid");
    if (!text) return true;
    const auto id = SessionId::parse(*text);
    if (id) session = *id;
    return id.has_value();
}

// Members that only one type has; false when one is missing or no such thing.
bool read_special(const FlatObject& body, Claims& claims) {
    if (claims.type == TokenType::access) {
        const auto email = body.string("email");
        const auto verified = body.boolean("emailVerified");
        const auto role = role_of(body.string("role").value_or(""));
        if (!email || !verified || !role) return false;
        claims.email = *email;
        claims.email_verified = *verified;
        claims.role = *role;
        if (!read_session(body, claims.session)) return false;
    }
    if (claims.type == TokenType::vwr || claims.type == TokenType::place) {
        const auto epoch = body.number("epoch");
        const auto phase = body.number("phase");
        const auto position = body.number("position");
        if (!epoch || !phase || !position) return false;
        claims.epoch = *epoch;
        claims.phase = std::uint32_t(*phase);
        claims.position = *position;
    }
    if (claims.type == TokenType::place) {
        const auto arrival = body.number("arrival");
        if (!arrival) return false;
        claims.arrival = *arrival;
    }
    if (claims.type == TokenType::ticket) {
        const auto seat = body.number("seat");
        const auto serial = body.number("serial");
        if (!seat || !serial) return false;
        claims.seat = std::int64_t(*seat);
        claims.serial = *serial;
    }
    return true;
}

Result<Claims> read_claims(std::string_view json, TokenType type, Instant now) {
    const auto body = FlatObject::parse(json);
    if (!body) return refuse("the claims are not a flat object");
    if (body->string("typ") != type_names[std::size_t(type)]) return refuse("another type");
    if (body->string("aud") != audiences[std::size_t(type)]) return refuse("another audience");
    Claims claims;
    claims.type = type;
    const auto id = parse_id(body->string("jti").value_or(""));
    const auto issued = body->number("iat");
    const auto expires = body->number("exp");
    if (!id || !issued || !expires) return refuse("a claim is missing");
    if (*issued > seconds_max || *expires > seconds_max) return refuse("a time out of range");
    claims.id = *id;
    claims.issued = {std::int64_t(*issued) * 1'000'000};
    claims.expires = {std::int64_t(*expires) * 1'000'000};
    if (const auto subject = body->string("sub")) {
        const auto account = AccountId::parse(*subject);
        if (!account) return refuse("the subject is not an id");
        claims.subject = *account;
    }
    if (const auto event = body->string("event")) {
        const auto parsed = EventId::parse(*event);
        if (!parsed) return refuse("the event is not an id");
        claims.event = *parsed;
    }
    if (!read_special(*body, claims)) return refuse("a claim is missing");
    if (claims.expires <= now) return refuse("expired");
    return claims;
}

} // namespace

std::string_view token_type_name(TokenType type) { return type_names[std::size_t(type)]; }

std::array<unsigned char, 32> SigningKey::public_key() const {
    std::array<unsigned char, 32> key;
    std::copy(secret.begin() + 32, secret.end(), key.begin());
    return key;
}

SigningKey SigningKey::from_seed(TokenType type, std::string kid,
                                 const std::array<unsigned char, 32>& seed) {
    SigningKey key{type, std::move(kid), {}};
    std::array<unsigned char, 32> ignored;
    crypto_sign_ed25519_seed_keypair(ignored.data(), key.secret.data(), seed.data());
    return key;
}

const PublicKey* PublicKeys::find(TokenType type, std::string_view kid) const {
    for (const PublicKey& key : keys_)
        if (key.type == type && key.kid == kid) return &key;
    return nullptr;
}

std::string PublicKeys::jwks(TokenType type, Instant now) const {
    std::string text = "{\"keys\":[";
    for (const PublicKey& key : keys_) {
        if (key.type != type || key.until <= now) continue;
        if (text.back() == '}') text += ',';
        text += R"({"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":")" + key.kid +
                R"(","x":")" + base64url(key.bytes) + "\"}";
    }
    return text + "]}";
}

std::string sign_token(const SigningKey& key, const Claims& claims) {
    std::string header = R"({"alg":"EdDSA","typ":")";
    header.append(type_names[std::size_t(claims.type)]).append(R"(","kid":")").append(key.kid);
    header += "\"}";
    std::string token = base64url(header) + "." + base64url(body_of(claims));
    std::array<unsigned char, 64> signature;
    crypto_sign_ed25519_detached(signature.data(), nullptr, raw(token), token.size(),
                                 key.secret.data());
    token += '.';
    append_base64url(token, signature);
    return token;
}

Result<Claims> verify_token(const PublicKeys& keys, std::string_view token, TokenType type,
                            Instant now) {
    if (token.size() > token_bytes_max) return refuse("too long");
    const auto parts = split(token);
    if (!parts) return refuse("not three parts");
    TRY_PLAIN(check_signature(keys, *parts, type, now));
    const auto json = read_base64url(parts->body);
    if (!json) return refuse("the claims are not base64url");
    return read_claims(*json, type, now);
}

} // namespace urr
