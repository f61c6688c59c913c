#include "apps/urr/keys.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "apps/urr/key_files.hpp"
#include "apps/urr/key_needs.hpp"
#include "libs/core/random.hpp"
#include "libs/security/base64url.hpp"

namespace urr::app {

namespace {

constexpr TokenType signers[] = {TokenType::access, TokenType::vwr, TokenType::place,
                                 TokenType::entry, TokenType::ticket};

std::string path_of(const std::string& folder, std::string_view name, std::string_view end) {
    return folder + "/keys/" + std::string(name) + std::string(end);
}

std::unexpected<Error> damaged(const std::string& path) {
    return fail(Code::UNAVAILABLE, "the key " + path + " is damaged: restore it from a backup");
}

Result<SecretKey> read_secret(const std::string& folder, std::string_view name) {
    const std::string path = path_of(folder, name, ".key");
    const std::string text = TRY_PLAIN(read_key_file(path));
    SecretKey key;
    if (!read_base64url(text, key)) return damaged(path);
    return key;
}

// "kid key until", the last in seconds and only of a previous key.
std::string text_of(const PublicKey& key) {
    std::string text = key.kid + " " + base64url(key.bytes);
    if (key.until != never) text += " " + std::to_string(key.until.us / 1'000'000);
    return text;
}

Result<PublicKey> read_public(const std::string& path, TokenType type) {
    const std::string text = TRY_PLAIN(read_key_file(path));
    const std::size_t first = text.find(' '), second = text.find(' ', first + 1);
    PublicKey key;
    key.type = type;
    if (first == std::string::npos || first == 0) return damaged(path);
    key.kid = text.substr(0, first);
    const std::string_view rest(text);
    if (!read_base64url(rest.substr(first + 1, second - first - 1), key.bytes))
        return damaged(path);
    if (second != std::string::npos) {
        std::int64_t until_s = 0;
        const auto read =
            std::from_chars(text.data() + second + 1, text.data() + text.size(), until_s);
        if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return damaged(path);
        key.until = Instant{until_s * 1'000'000};
    }
    return key;
}

std::string fresh_secret() {
    SystemRandom random;
    SecretKey key;
    random.fill(key);
    return base64url(key);
}

PublicKey public_half(const SigningKey& key) {
    return {key.type, key.kid, key.public_key(), never};
}

bool exists(const std::string& path) {
    struct stat facts;
    return ::stat(path.c_str(), &facts) == 0;
}

bool same(const PublicKey& one, const PublicKey& other) {
    return one.kid == other.kid && one.bytes == other.bytes;
}

// How a signing key and its public half stand to each other.
enum class Pair {
    fits,    // or nothing is there yet
    stale,   // the public half is missing, damaged, or that of a rotation that was cut off
    behind,  // the key is the one before: in a role's copy, while a rotation is under way
    alone,   // there is a public half and no key: a role's copy
    foreign, // the public half is of a key that never was here
};

bool has_key(const std::string& path) {
    struct stat facts;
    return ::stat(path.c_str(), &facts) == 0 && facts.st_size > 0;
}

Result<Pair> pair_of(const std::string& folder, TokenType type) {
    const std::string_view name = token_type_name(type);
    const std::string path = path_of(folder, name, ".pub");
    const bool shown = exists(path); // the key is made first and looked at last
    if (!has_key(path_of(folder, name, ".key"))) return shown ? Pair::alone : Pair::fits;
    if (!shown) return Pair::stale;
    const PublicKey ours = public_half(TRY_PLAIN(signing_key(folder, type)));
    const auto standing = read_public(path, type);
    if (standing && same(*standing, ours)) return Pair::fits;
    const auto previous = read_public(path_of(folder, name, ".previous.pub"), type);
    if (previous && same(*previous, ours)) return Pair::behind;
    if (!standing || (previous && same(*previous, *standing))) return Pair::stale;
    return Pair::foreign;
}

// Why nothing may be made in this folder; a public half is what others trust, and never replaced
// by one that nobody asked for.
Result<> refuse_copy(const std::string& folder, TokenType type) {
    const std::string_view name = token_type_name(type);
    const std::string key = path_of(folder, name, ".key");
    const auto pair = pair_of(folder, type);
    if (!pair) return {}; // a damaged key is left as it is
    if (*pair == Pair::alone)
        return fail(Code::CONFLICT,
                    path_of(folder, name, ".pub") + " stands without " + std::string(name) +
                        ".key: keys are made elsewhere and carried here; nothing was changed (if "
                        "the key was lost, restore it, or remove the public half)");
    if (*pair == Pair::foreign)
        return fail(Code::CONFLICT, path_of(folder, name, ".pub") + " is of another key than " +
                                        std::string(name) +
                                        ".key: carry both here from where keys are made; nothing "
                                        "was changed");
    return {};
}

Result<> settle_public(const std::string& folder, TokenType type) {
    const auto pair = pair_of(folder, type);
    if (!pair || *pair != Pair::stale) return {};
    const PublicKey key = public_half(TRY_PLAIN(signing_key(folder, type)));
    return replace_key_file(path_of(folder, token_type_name(type), ".pub"), text_of(key));
}

// What `urr doctor` says of the two.
std::string fault_of_pair(const std::string& folder, TokenType type, Pair pair, Instant now) {
    const std::string_view name = token_type_name(type);
    const std::string shown = path_of(folder, name, ".pub");
    if (pair == Pair::stale && exists(shown)) return shown + " is of another key: run `urr keys`";
    if (pair == Pair::foreign)
        return shown + " is of another key than " + std::string(name) +
               ".key: carry both here from where keys are made";
    if (pair != Pair::behind) return {};
    const auto previous = read_public(path_of(folder, name, ".previous.pub"), type);
    if (previous && previous->until > now) return {};
    return path_of(folder, name, ".key") +
           " was replaced more than a day ago and is refused: carry the new one here";
}

} // namespace

Result<int> make_keys(const std::string& folder) {
    ::mkdir(folder.c_str(), 0700);
    ::mkdir((folder + "/keys").c_str(), 0700);
    int made = 0;
    for (const TokenType type : signers) TRY_PLAIN(refuse_copy(folder, type));
    for (const TokenType type : signers) {
        const std::string path = path_of(folder, token_type_name(type), ".key");
        made += TRY_PLAIN(create_key_file(path, fresh_secret()));
        TRY_PLAIN(settle_public(folder, type));
    }
    for (const std::string& name : keys_needed_by(Roles{}).secrets)
        made += TRY_PLAIN(create_key_file(path_of(folder, name, ".key"), fresh_secret()));
    return made;
}

Result<> rotate_key(const std::string& folder, TokenType type, Instant now) {
    const std::string_view name = token_type_name(type);
    const std::string previous = path_of(folder, name, ".previous.pub");
    TRY_PLAIN(refuse_copy(folder, type));
    if (TRY_PLAIN(pair_of(folder, type)) == Pair::behind)
        return fail(Code::CONFLICT, path_of(folder, name, ".key") +
                                        " is the key before a rotation: rotate where keys are "
                                        "made, and carry what is new here");
    if (exists(previous) && TRY_PLAIN(read_public(previous, type)).until > now)
        return fail(Code::CONFLICT, "the key before this one still counts: rotate it after a day");
    PublicKey before = public_half(TRY_PLAIN(signing_key(folder, type)));
    before.until = now + previous_key_life;
    TRY_PLAIN(replace_key_file(previous, text_of(before)));
    TRY_PLAIN(replace_key_file(path_of(folder, name, ".key"), fresh_secret()));
    return settle_public(folder, type);
}

std::vector<std::string> key_faults(const std::string& folder, Instant now, const Roles& roles) {
    const NeededKeys needed = keys_needed_by(roles);
    std::vector<std::string> faults;
    const auto note = [&faults](const auto& read) {
        if (!read) faults.emplace_back(read.error().text());
    };
    const auto private_file = [&](std::string_view name) {
        const std::string path = path_of(folder, name, ".key");
        struct stat facts;
        if (::stat(path.c_str(), &facts) == 0 && (facts.st_mode & 077))
            faults.push_back(path + " can be read by others: chmod 600");
    };
    for (const TokenType type : signers) {
        if (needed.signs.contains(type)) note(signing_key(folder, type));
        private_file(token_type_name(type));
        const auto shown = read_public(path_of(folder, token_type_name(type), ".pub"), type);
        // Where everything runs, those of whom others carry it away as well.
        if (needed.verifies.contains(type) || roles.all()) note(shown);
        const auto pair = pair_of(folder, type);
        if (!pair || !shown) continue;
        if (std::string fault = fault_of_pair(folder, type, *pair, now); !fault.empty())
            faults.push_back(std::move(fault));
    }
    for (const std::string& name : keys_needed_by(Roles{}).secrets) {
        if (needed.secrets.contains(name)) note(read_secret(folder, name));
        private_file(name);
    }
    return faults;
}

std::vector<std::string> key_files_of(const std::string& folder, const Roles& roles) {
    const NeededKeys needed = keys_needed_by(roles);
    std::vector<std::string> files;
    for (const TokenType type : needed.verifies) {
        const std::string name(token_type_name(type));
        if (exists(path_of(folder, name, ".previous.pub"))) files.push_back(name + ".previous.pub");
        files.push_back(name + ".pub");
    }
    for (const TokenType type : needed.signs)
        files.push_back(std::string(token_type_name(type)) + ".key");
    for (const std::string& name : needed.secrets) files.push_back(name + ".key");
    return files;
}

Result<int> hand_out_keys(const std::string& folder, Instant now, const Roles& roles,
                          const std::string& to) {
    const auto faults = key_faults(folder, now, roles);
    if (!faults.empty()) return fail(Code::UNAVAILABLE, faults.front());
    if (::mkdir(to.c_str(), 0700) != 0 && errno != EEXIST)
        return fail(Code::UNAVAILABLE,
                    "cannot make the folder " + to + ": " + std::strerror(errno));
    const auto files = key_files_of(folder, roles);
    for (const std::string& file : files)
        TRY_PLAIN(replace_key_file(to + "/" + file,
                                   TRY_PLAIN(read_key_file(path_of(folder, file, ""))),
                                   file.ends_with(".pub")));
    // One that was removed here, since its key was stolen, is believed nowhere any more.
    for (const auto type : keys_needed_by(roles).verifies) {
        const std::string previous = std::string(token_type_name(type)) + ".previous.pub";
        if (std::ranges::find(files, previous) == files.end())
            (void)::unlink((to + "/" + previous).c_str());
    }
    return int(files.size());
}

Result<SigningKey> signing_key(const std::string& folder, TokenType type) {
    const SecretKey seed = TRY_PLAIN(read_secret(folder, token_type_name(type)));
    // The kid tells which key it is without telling the key.
    const Digest digest = sha256({reinterpret_cast<const char*>(seed.data()), seed.size()});
    const std::string kid = hex(std::span(digest).first(6));
    return SigningKey::from_seed(type, kid, seed);
}

Result<PublicKeys> public_keys(const std::string& folder, std::initializer_list<TokenType> types) {
    PublicKeys keys;
    for (const TokenType type : types) {
        const std::string_view name = token_type_name(type);
        keys.add(TRY_PLAIN(read_public(path_of(folder, name, ".pub"), type)));
        const std::string previous = path_of(folder, name, ".previous.pub");
        if (exists(previous)) keys.add(TRY_PLAIN(read_public(previous, type)));
    }
    return keys;
}

Result<SecretKey> secret_key(const std::string& folder, std::string_view name) {
    return read_secret(folder, name);
}

std::optional<TokenType> find_token_type(std::string_view name) {
    for (const TokenType type : signers)
        if (token_type_name(type) == name) return type;
    return std::nullopt;
}

} // namespace urr::app
