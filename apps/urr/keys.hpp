// The keys of an installation: one file each in the folder `keys` of the data folder, readable by
// their owner alone. Signing keys by token type, a key per caller and service, the receipts' key.
#pragma once
#include <string>

#include "libs/security/jwt.hpp"
#include "libs/security/mac.hpp"

namespace urr::app {

// Makes what is missing; never overwrites. How many were made.
Result<int> make_keys(const std::string& data_folder);

// UNAVAILABLE with the file's name and what to do when a key is missing or not readable.
Result<SigningKey> signing_key(const std::string& data_folder, TokenType type);
Result<SecretKey> secret_key(const std::string& data_folder, std::string_view name);
// The key with which `caller` speaks to `service`.
Result<HmacKey> caller_key(const std::string& data_folder, std::string_view caller,
                           std::string_view service);

} // namespace urr::app
