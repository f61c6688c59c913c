// The keys of an installation: one file each in the folder `keys` of the data folder, readable by
// their owner alone. Signing keys by token type, a key per caller and service, the receipts' key.
//
// Beside each signing key NAME.key stands its public half NAME.pub, and after a rotation
// NAME.previous.pub, which counts for another day: a process that only verifies (a gateway apart)
// needs no more than these. Which role needs what stands in key_needs.cpp. Keys are read at start.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "apps/urr/roles.hpp"
#include "libs/security/jwt.hpp"
#include "libs/security/mac.hpp"

namespace urr::app {

inline constexpr Duration previous_key_life = hours(24);

// Makes what is missing; never overwrites a secret. How many were made. CONFLICT, and nothing is
// changed, where a public half stands without its key or with another's: that is a role's copy,
// whose keys are made elsewhere. A key whose public half is the previous one is left alone: so a
// copy stands while a rotation is under way.
Result<int> make_keys(const std::string& data_folder);
// A new signing key; the one before it counts until `now` + previous_key_life. Rotating again
// before then is refused with CONFLICT: tokens of the key before it would end at once. So is
// rotating in a role's copy.
Result<> rotate_key(const std::string& data_folder, TokenType type, Instant now);
// What is wrong with the files that the roles need, one line each; for `urr doctor`.
std::vector<std::string> key_faults(const std::string& data_folder, Instant now,
                                    const Roles& roles = {});
// The names of the files that the roles need, public halves first; of previous ones those that
// there are.
std::vector<std::string> key_files_of(const std::string& data_folder, const Roles& roles);
// Copies them into a folder, which it makes: public halves for everybody to read. How many.
// UNAVAILABLE, and nothing is copied, when there is a fault.
Result<int> hand_out_keys(const std::string& data_folder, Instant now, const Roles& roles,
                          const std::string& to);

// UNAVAILABLE with the file's name and what to do when a key is missing or not readable.
Result<SigningKey> signing_key(const std::string& data_folder, TokenType type);
Result<PublicKeys> public_keys(const std::string& data_folder,
                               std::initializer_list<TokenType> types);
Result<SecretKey> secret_key(const std::string& data_folder, std::string_view name);

std::optional<TokenType> find_token_type(std::string_view name);

} // namespace urr::app
